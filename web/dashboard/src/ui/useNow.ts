import { useEffect, useState } from 'react';

/** The current time, updated every few seconds. */
export const useNow = (seconds = 15) => {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), seconds * 1000);
    return () => clearInterval(timer);
  }, [seconds]);
  return now;
};
