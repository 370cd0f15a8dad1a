// A store whose merchant installed the app: it goes to who is signed in, or to somebody new.
import { useEffect, useState } from 'react';
import { Link, useLocation } from 'wouter';
import { claimStore, signUpInstalled } from '../api/session';
import { wrongAt, wrongElsewhere } from '../domain/problems';
import { takeCode } from '../domain/claim';
import { Field } from '../ui/Field';
import { Mark } from '../ui/Mark';
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
    document.title = 'Take a store over · XBoard';
  }, []);
  const place = signedIn ? 'token' : 'input.token';
  const elsewhere = wrongElsewhere(problems, [place, 'input.email', 'input.password']);
  return (
    <main className="door wide">
      <header>
        <Mark />
        <h1>Your store let XBoard in</h1>
        <p className="muted">
          {signedIn ? 'The account that you are signed in to becomes its owner.' : 'One account becomes its owner: a new one, or yours.'}
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
            help="From the page at which the installation ended. It is good once, for half an hour."
            wrong={wrongAt(problems, place)}
          />
        </fieldset>
        {!signedIn && <NewAccount draft={account} change={setAccount} problems={problems} />}
        <button type="submit" className="button strong wide" disabled={busy}>
          {busy ? 'Taking it over…' : 'Take the store over'}
        </button>
      </form>
      <p className="other">
        {signedIn ? (
          <Link href="/">Back to the dashboard</Link>
        ) : (
          <>
            You have an account? <Link href="/sign-in?next=/claim">Sign in</Link>
          </>
        )}
      </p>
    </main>
  );
};
