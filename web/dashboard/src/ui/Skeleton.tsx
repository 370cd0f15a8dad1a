/** The outline of the page while the figures load. */
export const Skeleton = () => (
  <div className="grid" aria-busy="true">
    <p className="hidden" role="status">
      Loading the figures…
    </p>
    <section className="card figures bones">
      <ul className="tiles">
        {Array.from({ length: 8 }, (_, index) => (
          <li key={index} className="tile">
            <i className="bone short" />
            <i className="bone tall" />
            <i className="bone" />
          </li>
        ))}
      </ul>
    </section>
    <section className="card main bones">
      <i className="bone short" />
      <i className="bone chart" />
    </section>
    <section className="card waterfall bones">
      {Array.from({ length: 8 }, (_, index) => (
        <i key={index} className="bone" />
      ))}
    </section>
    {Array.from({ length: 3 }, (_, card) => (
      <section key={card} className="card bones">
        {Array.from({ length: 8 }, (_, index) => (
          <i key={index} className="bone" />
        ))}
      </section>
    ))}
  </div>
);
