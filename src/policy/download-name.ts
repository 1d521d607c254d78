import { create } from 'content-disposition';
import { fittingExtension } from './file-extension.ts';
import { CONTROL_CHARACTER } from './object-key.ts';

/**
 * The longest name that file systems accept. It also bounds the header, where a character takes up
 * to nine.
 */
const MAX_NAME_LENGTH = 255;

// Joiners are part of the spelling of words and emoji. Every other invisible character makes a name
// look like a different one.
const JOINER_WITHIN_A_WORD = /(?<=[^ -~])[\u200c\u200d](?=[^ -~])/gu;
const INVISIBLE_CHARACTER = /\p{Cf}|(?!\p{M})\p{Default_Ignorable_Code_Point}/u;

/** Extensions of files that an operating system runs when a person opens them. */
export const RUN_WHEN_OPENED: ReadonlySet<string> = new Set(
  (
    'exe dll com bat cmd msi msp msu scr pif cpl vb vbe vbs js jse wsf wsh wsc sct ps1 psm1 reg inf lnk url hta chm hlp jnlp ' +
    'xaml xap xbap application appref-ms appinstaller msix msixbundle appx appxbundle gadget scf library-ms settingcontent-ms ' +
    'jar sh bash command workflow scpt app pkg mpkg desktop run'
  ).split(' '),
);

/**
 * Returns why Content-Disposition cannot hold the file name of an upload and what to change;
 * undefined if it can. A name is rejected, never repaired.
 * @param essence the content type's `type/subtype` in lower case.
 */
export function downloadNameFault(filename: string, essence: string): string | undefined {
  return nameFault(filename, () => fittingExtension(filename, essence) !== undefined);
}

/**
 * Returns the same for a name under which a stored object is offered. The type of the object is not
 * known, so a name that operating systems run must have the extension of the key: without a file
 * name, browsers offer the last part of the key anyway.
 */
export function offeredNameFault(filename: string, key: string): string | undefined {
  return nameFault(filename, (extension) => key.toLowerCase().endsWith(`.${extension}`));
}

/** @param mayRun whether the file may have an extension that operating systems run. */
function nameFault(filename: string, mayRun: (extension: string) => boolean): string | undefined {
  if (filename.length > MAX_NAME_LENGTH) {
    return `has ${filename.length} characters; at most ${MAX_NAME_LENGTH} are allowed`;
  }
  if (!filename.isWellFormed()) return 'holds half of a surrogate pair; send well-formed Unicode';
  if (/[/\\]/.test(filename)) return 'holds "/" or "\\"; send the name without its folders';
  if (CONTROL_CHARACTER.test(filename)) return 'holds a control character or line separator; leave it out';
  if (INVISIBLE_CHARACTER.test(filename.replaceAll(JOINER_WITHIN_A_WORD, ''))) {
    return 'holds an invisible character or bidirectional control; leave it out';
  }
  if (/^[.\s]*$/.test(filename) || filename.trim() !== filename || filename.endsWith('.')) {
    return 'is only dots or blanks, begins or ends with a blank, or ends with a dot; send another name';
  }
  const extension = /\.([^.]*)$/.exec(filename)?.[1]?.toLowerCase();
  if (extension && RUN_WHEN_OPENED.has(extension) && !mayRun(extension)) {
    return `ends in ".${extension}", which operating systems run; send another name`;
  }
  return undefined;
}

/**
 * Returns the Content-Disposition that offers the file under its name (RFC 6266): `filename` in
 * ASCII, and `filename*` (RFC 8187) if ASCII cannot hold the whole name.
 * @param filename a name without a {@link downloadNameFault}.
 */
export function dispositionWithName(type: string, filename: string): string {
  return create(filename, { type });
}
