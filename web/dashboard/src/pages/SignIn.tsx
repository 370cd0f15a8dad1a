import { useEffect, useState } from 'react';
import { Link } from 'wouter';
import { signIn } from '../api/session';
import { Field } from '../ui/Field';
import { Logo } from '../ui/Logo';
import { Message } from '../ui/Message';
import { useForm } from '../ui/useForm';

export const SignIn = ({ ended }: { ended: boolean }) => {
  const [email, setEmail] = useState('');
  const [password, setPassword] = useState('');
  const { problems, busy, submit } = useForm(() => signIn(email, password));
  useEffect(() => {
    document.title = 'Sign in · XBoard';
  }, []);
  return (
    <main className="door">
      <header>
        <Logo />
        <h1>Sign in to XBoard</h1>
        <p className="muted">Your store’s numbers at a glance.</p>
      </header>
      {ended && (
        <Message tone="warn" title="Your session has ended">
          <p>Sign in again to return to where you were.</p>
        </Message>
      )}
      <form onSubmit={submit} className="card">
        {problems.length > 0 && (
          <Message tone="bad" title={problems.map(({ message }) => message).join(' ')} />
        )}
        <Field label="Email address" type="email" autoComplete="username" value={email} change={setEmail} />
        <Field label="Password" type="password" autoComplete="current-password" value={password} change={setPassword} />
        <button type="submit" className="button strong wide" disabled={busy}>
          {busy ? 'Signing in…' : 'Sign in'}
        </button>
      </form>
      <p className="other">
        New here? <Link href="/sign-up">Connect a store</Link>
      </p>
    </main>
  );
};
