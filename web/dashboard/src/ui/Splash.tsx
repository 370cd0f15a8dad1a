import { Logo } from './Logo';

/** Shown while the session loads. */
export const Splash = () => (
  <main className="splash" aria-busy="true">
    <Logo />
    <p className="hidden">Loading…</p>
  </main>
);
