import { expect, it, onTestFinished } from 'vitest';
import { WILDCARD_TYPES } from '../../src/policy/wildcard-types.ts';
import { openChromium, openFirefox } from './open-browser.ts';
import { BODY_NAMES, startGallery } from './type-gallery.ts';

/** Types that browsers run and that no wildcard matches, with their bodies: they show that the gallery can fail. */
const CONTROLS = {
  'text/html': ['html', 'xml'],
  'application/xhtml+xml': ['xml'],
  'image/svg+xml': ['xml'],
  'text/xml': ['xml'],
};

it.each([
  { name: 'Chromium', open: openChromium, controls: CONTROLS },
  {
    name: 'Firefox',
    open: openFirefox,
    // Not registered, and taken for a type that has to be guessed from the bytes.
    controls: { ...CONTROLS, 'application/x-unknown-content-type': ['html', 'xml'] },
  },
])(
  '$name runs nothing of a type that a wildcard matches, and all controls',
  { timeout: 300_000 },
  async ({ open, controls }) => {
    // Sorted, the controls lie between the others.
    const types = [...WILDCARD_TYPES, ...Object.keys(controls)].sort();
    const gallery = await startGallery(types);
    onTestFinished(gallery.close);
    const browser = open(gallery.url);
    onTestFinished(browser.close);
    await gallery.done;
    expect(gallery.sent()).toBe(types.length * BODY_NAMES.length);
    expect([...gallery.ran].sort()).toStrictEqual(
      Object.entries(controls)
        .flatMap(([type, bodies]) => bodies.map((body) => `${type} ${body}`))
        .sort(),
    );
  },
);
