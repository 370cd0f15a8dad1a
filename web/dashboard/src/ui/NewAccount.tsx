import type { ProblemFragment } from '../gql/graphql';
import { wrongAt } from '../domain/problems';
import { Field } from './Field';

export interface AccountDraft {
  email: string;
  password: string;
}

interface Props {
  draft: AccountDraft;
  change: (draft: AccountDraft) => void;
  problems: readonly ProblemFragment[];
}

/** The email address and password of a new account. */
export const NewAccount = ({ draft, change, problems }: Props) => (
  <fieldset>
    <legend>Your account</legend>
    <Field
      label="Email address"
      type="email"
      autoComplete="username"
      value={draft.email}
      change={(email) => change({ ...draft, email })}
      wrong={wrongAt(problems, 'input.email')}
    />
    <Field
      label="Password"
      type="password"
      autoComplete="new-password"
      value={draft.password}
      change={(password) => change({ ...draft, password })}
      help="At least 12 characters. Avoid common passwords."
      wrong={wrongAt(problems, 'input.password')}
    />
  </fieldset>
);
