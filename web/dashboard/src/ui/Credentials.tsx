// The two kinds of credentials, and where to find them in Shopify.
import { useId } from 'react';
import type { CredentialsInput, ProblemFragment } from '../gql/graphql';
import { wrongAt } from '../domain/problems';
import { Field } from './Field';

export interface CredentialsDraft {
  kind: 'clientCredentials' | 'accessToken';
  clientId: string;
  clientSecret: string;
  token: string;
  apiSecret: string;
}

export const NO_CREDENTIALS: CredentialsDraft = {
  kind: 'clientCredentials',
  clientId: '',
  clientSecret: '',
  token: '',
  apiSecret: '',
};

export const credentialsOf = (draft: CredentialsDraft): CredentialsInput =>
  draft.kind === 'clientCredentials'
    ? { clientCredentials: { clientId: draft.clientId.trim(), clientSecret: draft.clientSecret.trim() } }
    : {
        accessToken: {
          token: draft.token.trim(),
          ...(draft.apiSecret.trim() && { apiSecret: draft.apiSecret.trim() }),
        },
      };

interface Props {
  draft: CredentialsDraft;
  change: (draft: CredentialsDraft) => void;
  problems: readonly ProblemFragment[];
  /** The path of the credentials in the mutation's arguments. */
  place: string;
}

export const Credentials = ({ draft, change, problems, place }: Props) => {
  const name = useId();
  const set = (part: Partial<CredentialsDraft>) => change({ ...draft, ...part });
  const wrong = (field: string) => wrongAt(problems, `${place}.${field}`);
  const whole = wrongAt(problems, place);
  return (
    <fieldset className="credentials">
      <legend>Shopify credentials</legend>
      <div className="kinds">
        <label>
          <input
            type="radio"
            name={name}
            checked={draft.kind === 'clientCredentials'}
            onChange={() => set({ kind: 'clientCredentials' })}
          />
          <span>
            <b>Dev Dashboard app</b>
            <span className="muted">Client ID and secret</span>
          </span>
        </label>
        <label>
          <input
            type="radio"
            name={name}
            checked={draft.kind === 'accessToken'}
            onChange={() => set({ kind: 'accessToken' })}
          />
          <span>
            <b>Custom app</b>
            <span className="muted">Admin API access token</span>
          </span>
        </label>
      </div>
      {draft.kind === 'clientCredentials' ? (
        <>
          <p className="help">
            In Shopify’s <b>Dev Dashboard</b>, open the app and go to <b>Settings</b>. First release a version with the scopes
            below and install it in the store. XBoard exchanges these for 24-hour tokens and renews them.
          </p>
          <Field label="Client ID" value={draft.clientId} change={(clientId) => set({ clientId })} wrong={wrong('clientCredentials.clientId')} />
          <Field
            label="Client secret"
            type="password"
            autoComplete="off"
            value={draft.clientSecret}
            change={(clientSecret) => set({ clientSecret })}
            wrong={wrong('clientCredentials.clientSecret')}
          />
        </>
      ) : (
        <>
          <p className="help">
            In the Shopify admin, go to <b>Settings → Apps and sales channels → Develop apps</b>. Shopify shows the token once,
            when you install the app. Since 1 January 2026 you can no longer create custom apps; existing ones keep working.
          </p>
          <Field
            label="Admin API access token"
            type="password"
            autoComplete="off"
            placeholder="shpat_…"
            value={draft.token}
            change={(token) => set({ token })}
            wrong={wrong('accessToken.token')}
          />
          <Field
            label="API secret key"
            type="password"
            autoComplete="off"
            optional
            help="Used to verify webhooks. Without it, updates arrive every few minutes instead of within seconds."
            value={draft.apiSecret}
            change={(apiSecret) => set({ apiSecret })}
            wrong={wrong('accessToken.apiSecret')}
          />
        </>
      )}
      {whole && <p className="wrong" role="alert">{whole}</p>}
      <p className="help">
        Access scopes: <code>read_orders</code> <code>read_customers</code> <code>read_products</code>, and{' '}
        <code>read_all_orders</code> for orders older than 60 days.
      </p>
    </fieldset>
  );
};
