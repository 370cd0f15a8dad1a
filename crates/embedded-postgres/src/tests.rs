//! Tests with a real server.

use std::fs;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use sqlx::{Connection as _, PgConnection, Row as _};

use super::cluster::supports_parent_death_signal;
use super::*;

/// The first column of the first row.
fn query(server: &EmbeddedPostgres, statement: &'static str) -> String {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let mut connection = PgConnection::connect(server.connection_url())
            .await
            .unwrap();
        let row = sqlx::raw_sql(statement)
            .fetch_one(&mut connection)
            .await
            .unwrap();
        row.get(0)
    })
}

/// Not durable, so that it starts faster.
fn options(directory: &Path) -> Options {
    Options {
        fsync: false,
        ..Options::new(directory)
    }
}

fn wait_until(event: &str, mut happened: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_mins(1);
    while !happened() {
        assert!(Instant::now() < deadline, "{event}");
        sleep(Duration::from_millis(10));
    }
}

#[test]
fn data_survives_a_restart_and_a_second_program_is_refused() {
    let directory = TemporaryDirectory::create().unwrap();
    let server = EmbeddedPostgres::start(&Options::new(directory.path())).unwrap();
    assert_eq!(
        query(
            &server,
            "create table notes (word text); insert into notes values ('here') returning word"
        ),
        "here"
    );
    assert_eq!(query(&server, "show server_encoding"), "UTF8");
    assert_eq!(query(&server, "show fsync"), "on");
    assert_eq!(query(&server, "show listen_addresses"), "");
    let refused = EmbeddedPostgres::start(&options(directory.path()))
        .unwrap_err()
        .to_string();
    assert!(
        refused.contains(&*directory.path().to_string_lossy()),
        "{refused}"
    );
    assert!(
        refused.contains(&format!("process {}", std::process::id())),
        "{refused}"
    );
    server.stop().unwrap();
    let server = EmbeddedPostgres::start(&options(directory.path())).unwrap();
    assert_eq!(query(&server, "select word from notes"), "here");
}

#[test]
fn an_abandoned_server_is_replaced_and_its_data_survives() {
    let directory = TemporaryDirectory::create().unwrap();
    let server = EmbeddedPostgres::start(&options(directory.path())).unwrap();
    query(
        &server,
        "create table notes as select 'here' as word; select word from notes",
    );
    let first = query(&server, "select pg_postmaster_start_time()::text");
    // As after a kill -9: the lock is free, and the server still runs.
    let EmbeddedPostgres {
        postmaster,
        _lock: lock,
        ..
    } = server;
    std::mem::forget(postmaster);
    drop(lock);
    let server = EmbeddedPostgres::start(&options(directory.path())).unwrap();
    assert_eq!(query(&server, "select word from notes"), "here");
    assert_ne!(
        query(&server, "select pg_postmaster_start_time()::text"),
        first
    );
}

#[test]
fn a_pid_file_with_the_pid_of_another_process_does_not_prevent_the_start() {
    let directory = TemporaryDirectory::create().unwrap();
    let server = EmbeddedPostgres::start(&options(directory.path())).unwrap();
    server.stop().unwrap();
    let pid_file = directory.path().join("postgres/data/postmaster.pid");
    for content in [format!("{}\n", std::process::id()), String::new()] {
        fs::write(&pid_file, content).unwrap();
        EmbeddedPostgres::start(&options(directory.path()))
            .unwrap()
            .stop()
            .unwrap();
        assert!(!pid_file.exists());
    }
}

#[test]
fn data_of_another_version_is_refused_unchanged() {
    let directory = TemporaryDirectory::create().unwrap();
    let version = directory.path().join("postgres/data/PG_VERSION");
    fs::create_dir_all(version.parent().unwrap()).unwrap();
    fs::write(&version, "9\n").unwrap();
    // As root, the directory must belong to the account.
    let account = Account::choose().unwrap();
    account
        .take_ownership(&directory.path().join("postgres"))
        .unwrap();
    let refused = EmbeddedPostgres::start(&options(directory.path())).unwrap_err();
    assert!(
        matches!(refused, Error::OtherVersion { created_by: 9, .. }),
        "{refused}"
    );
    assert_eq!(fs::read_to_string(version).unwrap(), "9\n");
}

#[test]
fn a_path_too_long_for_a_socket_falls_back_to_tmp() {
    let directory = TemporaryDirectory::create().unwrap();
    let long = directory
        .path()
        .join("a directory, with a name that is \"long\"".repeat(3));
    let server = EmbeddedPostgres::start(&options(&long)).unwrap();
    let socket = query(&server, "show unix_socket_directories");
    assert!(socket.starts_with("/tmp/xboard-"), "{socket}");
    server.stop().unwrap();
    assert!(!Path::new(&socket).exists());
}

#[test]
fn an_incomplete_cluster_is_created_again() {
    let directory = TemporaryDirectory::create().unwrap();
    let account = Account::choose().unwrap();
    let cluster = Cluster::prepare(directory.path(), &account).unwrap();
    fs::create_dir(cluster.root.join("data.new")).unwrap();
    fs::write(cluster.root.join("data.new/PG_VERSION"), "15\n").unwrap();
    let server = EmbeddedPostgres::start(&options(directory.path())).unwrap();
    assert_eq!(query(&server, "select current_database()::text"), "xboard");
}

#[test]
fn a_temporary_server_removes_its_files() {
    let server = EmbeddedPostgres::start_temporary(None).unwrap();
    assert_eq!(query(&server, "show max_connections"), "300");
    let data = PathBuf::from(query(&server, "show data_directory"));
    assert!(data.exists());
    drop(server);
    assert!(!data.ancestors().nth(2).unwrap().exists());
}

/// The data directory of [`a_program_that_runs_until_it_is_killed`].
const DIRECTORY: &str = "XBOARD_TEST_KILLED_DIRECTORY";

#[test]
fn a_server_stops_with_its_killed_program() {
    if !supports_parent_death_signal() {
        return;
    }
    let directory = TemporaryDirectory::create().unwrap();
    let mut program = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "tests::a_program_that_runs_until_it_is_killed"])
        .env(DIRECTORY, directory.path())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let pid_file = directory.path().join("postgres/data/postmaster.pid");
    wait_until("the server starts", || {
        fs::read_to_string(&pid_file).is_ok_and(|text| text.contains("ready"))
    });
    program.kill().unwrap();
    program.wait().unwrap();
    wait_until("the server stops", || !pid_file.exists());
    assert!(
        fs::read_to_string(directory.path().join("postgres/server.log"))
            .unwrap()
            .contains("fast shutdown")
    );
}

/// Not a test: the program that [`a_server_stops_with_its_killed_program`] kills.
#[test]
fn a_program_that_runs_until_it_is_killed() {
    let Some(directory) = std::env::var_os(DIRECTORY) else {
        return;
    };
    let _server = EmbeddedPostgres::start(&options(Path::new(&directory))).unwrap();
    sleep(Duration::from_mins(1));
}
