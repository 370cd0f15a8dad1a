// Claims a store whose merchant installed the app, for the signed-in account or a new one.
import { useEffect, useState } from 'react';
import { Link, useLocation } from 'wouter';
import { claimStore, signUpInstalled } from '../api/session';
import { wrongAt, wrongElsewhere } from '../domain/problems';
import { takeCode } from '../domain/claim';
import { Field } from '../ui/Field';
import { Logo } from '../ui/Logo';
import { Message } from '../ui/Message';
import { NewAccount } from '../ui/NewAccount';
import { useForm } from '../ui/useForm';

export const Claim = ({ signedIn }: { signedIn: boolean }) => {
  const [, go] = useLocation();
  const [code, setCode] = useState(takeCode);
  const [account, setAccount] = useState({ email: '', password: '' });
  const { problems, busy, submit } = useForm(async () => {
    const wrong = await (signedIn ? claimStore(code.trim()) : signUpInstalled({ ...account, token: code.trim() }));
    if (wrong.length === 0) go('/');
    return wrong;
  });
  useEffect(() => {
    document.title = 'Claim a store · XBoard';
  }, []);
  const place = signedIn ? 'token' : 'input.token';
  const elsewhere = wrongElsewhere(problems, [place, 'input.email', 'input.password']);
  return (
    <main className="door wide">
      <header>
        <Logo />
        <h1>XBoard is installed</h1>
        <p className="muted">
          {signedIn ? 'Claim the store to make your account its owner.' : 'Claim the store with a new account or your existing one.'}
        </p>
      </header>
      <form onSubmit={submit} className="card">
        {elsewhere.length > 0 && <Message tone="bad" title={elsewhere.join(' ')} />}
        <fieldset>
          <legend>The store</legend>
          <Field
            label="Code"
            autoComplete="off"
            value={code}
            change={setCode}
            help="Shown at the end of the installation. It works once, within 30 minutes."
            wrong={wrongAt(problems, place)}
          />
        </fieldset>
        {!signedIn && <NewAccount draft={account} change={setAccount} problems={problems} />}
        <button type="submit" className="button strong wide" disabled={busy}>
          {busy ? 'Claiming the store…' : 'Claim this store'}
        </button>
      </form>
      <p className="other">
        {signedIn ? (
          <Link href="/">Back to the dashboard</Link>
        ) : (
          <>
            Already have an account? <Link href="/sign-in?next=/claim">Sign in</Link>
          </>
        )}
      </p>
    </main>
  );
};
