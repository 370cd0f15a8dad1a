import { Mark } from './Mark';

/** Before anything is known. Shown for some milliseconds, so it is quiet. */
export const Splash = () => (
  <main className="splash" aria-busy="true">
    <Mark />
    <p className="hidden">Loading…</p>
  </main>
);
