//! A PostgreSQL of one test alone, which can be stopped, killed and started again at the same address.

use std::path::PathBuf;
use std::sync::mpsc;
use std::thread::{self, JoinHandle};

use embedded_postgres::{EmbeddedPostgres, Options};
use uuid::Uuid;

enum Order {
    Start,
    Stop,
    Kill,
}

/// The server. It is gone when this is dropped.
pub(super) struct Server {
    orders: Option<mpsc::Sender<(Order, mpsc::Sender<()>)>>,
    thread: Option<JoinHandle<()>>,
    directory: PathBuf,
    pub(super) url: String,
}

impl Server {
    /// Makes and starts it.
    pub(super) fn start() -> Self {
        // Named like the temporary ones, so that what a killed test leaves behind is swept up with them.
        let name = Uuid::new_v4().simple().to_string();
        let directory = std::env::temp_dir().join(format!("xboard-temporary-{}", &name[..12]));
        let options = Options::new(&directory);
        let (orders, received) = mpsc::channel::<(Order, mpsc::Sender<()>)>();
        let (started, address) = mpsc::channel();
        // The server ends with the thread that started it, so one thread does all of it.
        let thread = thread::spawn(move || {
            let mut server = Some(EmbeddedPostgres::start(&options).unwrap());
            let url = server
                .as_ref()
                .map(|server| server.connection_url().to_owned());
            started.send(url.unwrap()).unwrap();
            for (order, done) in received {
                match order {
                    Order::Start => server = Some(EmbeddedPostgres::start(&options).unwrap()),
                    Order::Stop => drop(server.take()),
                    Order::Kill => {
                        let file = options.data_dir.join("postgres/data/postmaster.pid");
                        let text = std::fs::read_to_string(file).unwrap();
                        let pid = text.lines().next().unwrap();
                        let kill = std::process::Command::new("kill")
                            .args(["-9", pid])
                            .status();
                        assert!(kill.unwrap().success());
                        drop(server.take());
                    }
                }
                done.send(()).unwrap();
            }
        });
        Self {
            orders: Some(orders),
            thread: Some(thread),
            directory,
            url: address.recv().unwrap(),
        }
    }

    /// Where its data is.
    pub(super) fn data(&self) -> PathBuf {
        self.directory.join("postgres/data")
    }

    async fn order(&self, order: Order) {
        let (done, finished) = mpsc::channel();
        self.orders.as_ref().unwrap().send((order, done)).unwrap();
        tokio::task::spawn_blocking(move || finished.recv().unwrap())
            .await
            .unwrap();
    }

    /// Starts it again.
    pub(super) async fn start_again(&self) {
        self.order(Order::Start).await;
    }

    /// Stops it in good order: every connection is ended.
    pub(super) async fn stop(&self) {
        self.order(Order::Stop).await;
    }

    /// Kills it with -9, as a crash or a power cut would.
    pub(super) async fn kill(&self) {
        self.order(Order::Kill).await;
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.orders.take());
        let ended = self.thread.take().map(JoinHandle::join);
        if !thread::panicking() {
            ended.unwrap().unwrap();
        }
        drop(std::fs::remove_dir_all(&self.directory));
    }
}
