// Signs up a new user with their store.
import { useEffect, useState } from 'react';
import { Link } from 'wouter';
import { signUp } from '../api/session';
import { wrongAt, wrongElsewhere } from '../domain/problems';
import { Credentials, credentialsOf, NO_CREDENTIALS } from '../ui/Credentials';
import { Domain, domainOf } from '../ui/Domain';
import { Logo } from '../ui/Logo';
import { Message } from '../ui/Message';
import { NewAccount } from '../ui/NewAccount';
import { useForm } from '../ui/useForm';

const FIELDS = ['input.email', 'input.password', 'input.shop.domain', 'input.shop.credentials'];

export const SignUp = () => {
  const [account, setAccount] = useState({ email: '', password: '' });
  const [domain, setDomain] = useState('');
  const [credentials, setCredentials] = useState(NO_CREDENTIALS);
  const { problems, busy, submit } = useForm(() =>
    signUp({ ...account, shop: { domain: domainOf(domain), credentials: credentialsOf(credentials) } }),
  );
  useEffect(() => {
    document.title = 'Connect a store · XBoard';
  }, []);
  const elsewhere = wrongElsewhere(problems, FIELDS);
  return (
    <main className="door wide">
      <header>
        <Logo />
        <h1>Connect a store</h1>
        <p className="muted">XBoard reads your customers, products and orders. It changes nothing.</p>
      </header>
      <form onSubmit={submit} className="card">
        {elsewhere.length > 0 && <Message tone="bad" title={elsewhere.join(' ')} />}
        {elsewhere.length === 0 && problems.length > 0 && <Message tone="bad" title="Please fix the highlighted fields." />}
        <NewAccount draft={account} change={setAccount} problems={problems} />
        <fieldset>
          <legend>Your store</legend>
          <Domain value={domain} change={setDomain} wrong={wrongAt(problems, 'input.shop.domain')} />
        </fieldset>
        <Credentials draft={credentials} change={setCredentials} problems={problems} place="input.shop.credentials" />
        <button type="submit" className="button strong wide" disabled={busy}>
          {busy ? 'Connecting…' : 'Connect store'}
        </button>
      </form>
      <p className="other">
        Already have an account? <Link href="/sign-in">Sign in</Link>
      </p>
    </main>
  );
};
