import { useEffect, useState } from 'react';

/** The time, as coarse as it is shown. */
export const useNow = (seconds = 15) => {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), seconds * 1000);
    return () => clearInterval(timer);
  }, [seconds]);
  return now;
};
