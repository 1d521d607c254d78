import { describe, expect, it } from 'vitest';
import { SDKS } from './build-programs.ts';
import { DISAGREEMENTS, findDisagreement } from './disagreements.ts';
import { furtherQuestions, headerQuestions, policyQuestions, signText, urlQuestions } from './questions.ts';
import { useSdkProgram } from './sdk-program.ts';

const questions = [...urlQuestions(), ...headerQuestions(), ...furtherQuestions()];

describe.each(SDKS)('%s', (sdk) => {
  const program = useSdkProgram(sdk);
  const agreed = questions.filter((question) => !findDisagreement(sdk, question));
  const disagreed = questions.flatMap((question) => {
    const disagreement = findDisagreement(sdk, question);
    return disagreement ? [{ ...question, ...disagreement }] : [];
  });

  it.each(agreed)('agrees with us on $name ($job.form)', async ({ job, signature }) => {
    expect(await program.sign(job)).toStrictEqual({ signature });
  });

  it.each(disagreed)('differs from us on $name: $difference (point $point)', async (question) => {
    const { job, instead, signature } = question;
    const theirs = typeof instead === 'function' ? { signature: signText(job, instead(question)) } : instead;
    expect(theirs).not.toStrictEqual({ signature });
    expect(await program.sign(job)).toStrictEqual(theirs);
  });
});

describe('ali-oss, of form uploads', () => {
  const program = useSdkProgram('ali-oss');

  it.each(policyQuestions())('makes the signature of the vector: $name', async ({ job, signature }) => {
    expect(await program.sign(job)).toStrictEqual({ signature });
  });
});

it('asks each SDK about all vectors of URLs and headers and four more, and one about form uploads', () => {
  const named = new Set(questions.map(({ name }) => name));
  const counts = [urlQuestions(), headerQuestions(), policyQuestions()].map(({ length }) => length);
  expect([...counts, named.size]).toStrictEqual([85, 19, 8, 108]);
  const listed = DISAGREEMENTS.flatMap((disagreement) => disagreement.questions);
  expect(listed.filter((name) => !named.has(name))).toStrictEqual([]);
  const differing = SDKS.map((sdk) => [sdk, questions.filter((each) => findDisagreement(sdk, each)).length]);
  expect(Object.fromEntries(differing)).toStrictEqual({ go: 4, python: 5, java: 6, 'ali-oss': 6 });
});
