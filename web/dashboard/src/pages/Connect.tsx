// Connects another store to the signed-in account.
import { useEffect, useState } from 'react';
import { Link, useLocation } from 'wouter';
import { connectStore } from '../api/session';
import { wrongAt, wrongElsewhere } from '../domain/problems';
import { Credentials, credentialsOf, NO_CREDENTIALS } from '../ui/Credentials';
import { Domain, domainOf } from '../ui/Domain';
import { Logo } from '../ui/Logo';
import { Message } from '../ui/Message';
import { useForm } from '../ui/useForm';

export const Connect = () => {
  const [, go] = useLocation();
  const [domain, setDomain] = useState('');
  const [credentials, setCredentials] = useState(NO_CREDENTIALS);
  const { problems, busy, submit } = useForm(async () => {
    const wrong = await connectStore({ shop: { domain: domainOf(domain), credentials: credentialsOf(credentials) } });
    if (wrong.length === 0) go('/');
    return wrong;
  });
  useEffect(() => {
    document.title = 'Connect another store · XBoard';
  }, []);
  const elsewhere = wrongElsewhere(problems, ['input.shop.domain', 'input.shop.credentials']);
  return (
    <main className="door wide">
      <header>
        <Logo />
        <h1>Connect another store</h1>
        <p className="muted">You will be its owner. Switch between your stores at the top of the page.</p>
      </header>
      <form onSubmit={submit} className="card">
        {elsewhere.length > 0 && <Message tone="bad" title={elsewhere.join(' ')} />}
        <fieldset>
          <legend>The store</legend>
          <Domain value={domain} change={setDomain} wrong={wrongAt(problems, 'input.shop.domain')} />
        </fieldset>
        <Credentials draft={credentials} change={setCredentials} problems={problems} place="input.shop.credentials" />
        <button type="submit" className="button strong wide" disabled={busy}>
          {busy ? 'Connecting…' : 'Connect store'}
        </button>
      </form>
      <p className="other">
        <Link href="/">Back to the dashboard</Link>
      </p>
    </main>
  );
};
