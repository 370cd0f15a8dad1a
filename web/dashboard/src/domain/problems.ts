// What a mutation says is wrong with its input, brought to the fields of a form.
import type { ProblemFragment } from '../gql/graphql';

/** A reason as the program keeps it, as a sentence. */
export const sentence = (text: string): string =>
  `${text.charAt(0).toUpperCase()}${text.slice(1)}${/[.!?]$/.test(text) ? '' : '.'}`;

/** The error of the field at a path, such as `input.shop.domain`. */
export const wrongAt = (problems: readonly ProblemFragment[], path: string): string | undefined =>
  problems.find(({ field }) => field?.join('.') === path)?.message;

/** The errors that belong to none of the form's fields. */
export const wrongElsewhere = (problems: readonly ProblemFragment[], paths: readonly string[]): string[] =>
  problems
    .filter(({ field }) => !paths.some((path) => field && (field.join('.') === path || field.join('.').startsWith(`${path}.`))))
    .map(({ message }) => message);
