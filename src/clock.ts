/** The current instant. Everything that needs the time takes one of these, so that tests can freeze it. */
export type Clock = () => Date;

/** The machine's own clock. Only process edges (`main.ts`, `demo/`) use it. */
export const systemClock: Clock = () => new Date();
