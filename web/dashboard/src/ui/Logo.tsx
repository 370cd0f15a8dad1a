export const Logo = () => (
  <svg className="mark" viewBox="0 0 32 32" aria-hidden="true">
    <rect width="32" height="32" rx="7" />
    <path d="M7 22l6-7 5 4 7-9" />
  </svg>
);
