/**
 * A bounded memory of values that take long to make, one for each place. It knows nothing of what a value was made of:
 * whoever asks compares that before using it.
 */
export class KeptValues<Value, Place = string> {
  readonly #values = new Map<Place, Value>();
  readonly #max: number;

  /** @param max how many places there are; when one more is taken, all are given up. */
  constructor(max: number) {
    this.#max = max;
  }

  get size(): number {
    return this.#values.size;
  }

  get(place: Place): Value | undefined {
    return this.#values.get(place);
  }

  /** Keeps a value in the place of the one before. */
  keep(place: Place, value: Value): Value {
    if (this.#values.size >= this.#max && !this.#values.has(place)) this.#values.clear();
    this.#values.set(place, value);
    return value;
  }
}
