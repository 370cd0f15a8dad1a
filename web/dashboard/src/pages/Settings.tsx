// Store settings: new credentials, and a full sync.
import { useEffect, useState } from 'react';
import { useMutation, useQuery } from 'urql';
import { Link, useLocation } from 'wouter';
import { typed } from '../api/client';
import { NewCredentialsDocument, StoreSettingsDocument, SyncNowDocument } from '../gql/graphql';
import { sentence, wrongElsewhere } from '../domain/problems';
import { Credentials, credentialsOf, NO_CREDENTIALS } from '../ui/Credentials';
import { Header } from '../ui/Header';
import { Message } from '../ui/Message';
import { useForm } from '../ui/useForm';
import { Refused, Unreachable } from '../api/send';

export const Settings = () => {
  const [, go] = useLocation();
  const [{ data }] = useQuery({ query: typed(StoreSettingsDocument) });
  const [, renew] = useMutation(typed(NewCredentialsDocument));
  const [{ fetching: asking }, startSync] = useMutation(typed(SyncNowDocument));
  const [draft, setDraft] = useState(NO_CREDENTIALS);
  const { problems, busy, submit } = useForm(async () => {
    const { data: answer, error } = await renew({ credentials: credentialsOf(draft) });
    const [refusal] = error?.graphQLErrors ?? [];
    if (refusal) throw new Refused(refusal.message, undefined);
    if (!answer) throw new Unreachable('Can’t reach the server.');
    const { userErrors } = answer.updateShopCredentials;
    if (userErrors.length === 0) go('/');
    return userErrors;
  });
  useEffect(() => {
    document.title = 'Store settings · XBoard';
  }, []);
  const me = data?.me;
  const shop = me?.tenant.shop;
  const role = me?.memberships.find(({ tenant }) => tenant.id === me.tenant.id)?.role;
  const elsewhere = wrongElsewhere(problems, ['input.credentials']);
  return (
    <>
      <Header
        email={me?.email}
        store={
          <div className="store">
            <h1>{shop?.name ?? <span className="hidden">Loading store</span>}</h1>
            {shop && <p><span>{shop.domain}</span></p>}
          </div>
        }
      />
      <main className="door wide settings">
        <p><Link href="/">Back to the dashboard</Link></p>
        {shop && shop.status !== 'CONNECTED' && (
          <Message tone="bad" title="Can’t read the store">
            <p>{shop.statusReason && sentence(shop.statusReason)}</p>
          </Message>
        )}
        {role === 'VIEWER' ? (
          <Message tone="calm" title="Only owners and admins can change these settings">
            <p>Ask an owner of the store for access.</p>
          </Message>
        ) : (
          <>
            <form onSubmit={submit} className="card" aria-labelledby="new-credentials">
              <h2 id="new-credentials">New credentials</h2>
              <p className="muted">We verify the new credentials with Shopify before they replace the old ones.</p>
              {elsewhere.length > 0 && <Message tone="bad" title={elsewhere.join(' ')} />}
              <Credentials draft={draft} change={setDraft} problems={problems} place="input.credentials" />
              <button type="submit" className="button strong wide" disabled={busy}>
                {busy ? 'Verifying…' : 'Replace credentials'}
              </button>
            </form>
            <section className="card" aria-labelledby="everything-again">
              <h2 id="everything-again">Full sync</h2>
              <p className="muted">
                Fetches the whole store again. You normally don’t need this. Your figures stay visible meanwhile.
              </p>
              <button
                type="button"
                className="button"
                disabled={asking}
                onClick={() => void startSync({ mode: 'FULL' }).then(() => go('/'))}
              >
                Start full sync
              </button>
            </section>
          </>
        )}
      </main>
    </>
  );
};
