// What is wrong with a body or a parameter, in words for whoever sent it.
import type { core } from 'zod';

type Issue = core.$ZodIssue;

/** Such as `holdings.0.symbol: is missing`. */
export function wordsOf(issue: Issue | undefined): string {
  if (!issue) return 'The body has a wrong shape.';
  const place = issue.path.join('.');
  return place === '' ? saying(issue, 'The body ') : `${place}: ${saying(issue, '')}`;
}

const typeNames: Readonly<Record<string, string>> = {
  array: 'a list',
  boolean: 'true or false',
  int: 'a whole number',
  object: 'an object',
  record: 'an object',
  string: 'a text',
};

const units: Readonly<Record<string, string>> = { string: 'characters', array: 'entries' };

/** Messages of our own stand as they are. */
function saying(issue: Issue, subject: string): string {
  switch (issue.code) {
    case 'invalid_type': {
      if (issue.input === undefined && subject === '') return 'is missing';
      return `${subject}must be ${typeNames[issue.expected] ?? `a ${issue.expected}`}`;
    }
    case 'too_small': {
      const { origin, minimum } = issue;
      const unit = units[origin];
      if (unit === undefined) return `${subject}must be at least ${minimum}`;
      return minimum === 1
        ? `${subject}must not be empty`
        : `${subject}must have at least ${minimum} ${unit}`;
    }
    case 'too_big': {
      const { origin, maximum } = issue;
      const unit = units[origin];
      return `${subject}must ${unit === undefined ? `be at most ${maximum}` : `have at most ${maximum} ${unit}`}`;
    }
    case 'invalid_value':
      return `${subject}must be ${issue.values.map(String).join(' or ')}`;
    case 'invalid_format':
      return issue.format === 'datetime'
        ? `${subject}must be a time such as 2030-01-31T12:00:00Z`
        : issue.message;
    default:
      return issue.message;
  }
}
