//! The life of a private server, with a real one.

use std::fs;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use sqlx::{Connection as _, PgConnection, Row as _};

use super::cluster::can_follow_parent;
use super::*;

/// The first column of the first row.
fn ask(server: &EmbeddedPostgres, statement: &'static str) -> String {
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

/// Starts quickly; the files are kept like those of a durable server.
fn options(directory: &Path) -> EmbeddedOptions {
    EmbeddedOptions {
        fsync: false,
        ..EmbeddedOptions::new(directory)
    }
}

fn wait_for(what: &str, mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_mins(1);
    while !is_so() {
        assert!(Instant::now() < deadline, "{what}");
        sleep(Duration::from_millis(10));
    }
}

#[test]
fn data_survives_a_restart_and_a_second_program_is_refused() {
    let directory = TemporaryDirectory::make().unwrap();
    let server = EmbeddedPostgres::start(&EmbeddedOptions::new(directory.path())).unwrap();
    assert_eq!(
        ask(
            &server,
            "create table kept (word text); insert into kept values ('here') returning word"
        ),
        "here"
    );
    assert_eq!(ask(&server, "show server_encoding"), "UTF8");
    assert_eq!(ask(&server, "show fsync"), "on");
    assert_eq!(ask(&server, "show listen_addresses"), "");
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
    assert_eq!(ask(&server, "select word from kept"), "here");
}

#[test]
fn a_server_that_was_left_behind_is_replaced_and_its_data_kept() {
    let directory = TemporaryDirectory::make().unwrap();
    let server = EmbeddedPostgres::start(&options(directory.path())).unwrap();
    ask(
        &server,
        "create table kept as select 'here' as word; select word from kept",
    );
    let first = ask(&server, "select pg_postmaster_start_time()::text");
    // As after a kill -9: the lock is free, the server runs on.
    let EmbeddedPostgres {
        postmaster,
        _lock: lock,
        ..
    } = server;
    std::mem::forget(postmaster);
    drop(lock);
    let server = EmbeddedPostgres::start(&options(directory.path())).unwrap();
    assert_eq!(ask(&server, "select word from kept"), "here");
    assert_ne!(
        ask(&server, "select pg_postmaster_start_time()::text"),
        first
    );
}

#[test]
fn a_note_of_a_process_that_is_another_one_by_now_does_not_stop_the_start() {
    let directory = TemporaryDirectory::make().unwrap();
    let server = EmbeddedPostgres::start(&options(directory.path())).unwrap();
    server.stop().unwrap();
    let note = directory.path().join("postgres/data/postmaster.pid");
    for content in [format!("{}\n", std::process::id()), String::new()] {
        fs::write(&note, content).unwrap();
        EmbeddedPostgres::start(&options(directory.path()))
            .unwrap()
            .stop()
            .unwrap();
        assert!(!note.exists());
    }
}

#[test]
fn data_of_another_version_is_refused_and_left_alone() {
    let directory = TemporaryDirectory::make().unwrap();
    let version = directory.path().join("postgres/data/PG_VERSION");
    fs::create_dir_all(version.parent().unwrap()).unwrap();
    fs::write(&version, "9\n").unwrap();
    // The directory was not made by `Account`, so as root it must be handed over.
    let account = Account::choose().unwrap();
    account.own(&directory.path().join("postgres")).unwrap();
    let refused = EmbeddedPostgres::start(&options(directory.path())).unwrap_err();
    assert!(
        matches!(refused, EmbeddedError::OtherVersion { made_by: 9, .. }),
        "{refused}"
    );
    assert_eq!(fs::read_to_string(version).unwrap(), "9\n");
}

#[test]
fn a_path_too_long_for_a_socket_does_not_matter() {
    let directory = TemporaryDirectory::make().unwrap();
    let long = directory
        .path()
        .join("a directory, with a name that is \"long\"".repeat(3));
    let server = EmbeddedPostgres::start(&options(&long)).unwrap();
    let socket = ask(&server, "show unix_socket_directories");
    assert!(socket.starts_with("/tmp/xboard-"), "{socket}");
    server.stop().unwrap();
    assert!(!Path::new(&socket).exists());
}

#[test]
fn a_half_made_cluster_is_made_again() {
    let directory = TemporaryDirectory::make().unwrap();
    let account = Account::choose().unwrap();
    let cluster = Cluster::prepare(directory.path(), &account).unwrap();
    fs::create_dir(cluster.root.join("data.new")).unwrap();
    fs::write(cluster.root.join("data.new/PG_VERSION"), "15\n").unwrap();
    let server = EmbeddedPostgres::start(&options(directory.path())).unwrap();
    assert_eq!(ask(&server, "select current_database()::text"), "xboard");
}

#[test]
fn a_temporary_server_leaves_nothing_behind() {
    let server = EmbeddedPostgres::start_temporary(None).unwrap();
    assert_eq!(ask(&server, "show max_connections"), "300");
    let data = PathBuf::from(ask(&server, "show data_directory"));
    assert!(data.exists());
    drop(server);
    assert!(!data.ancestors().nth(2).unwrap().exists());
}

/// Says to [`a_program_that_runs_until_it_is_killed`] where to run.
const DIRECTORY: &str = "XBOARD_TEST_KILLED_DIRECTORY";

#[test]
fn a_server_ends_with_its_killed_program() {
    if !can_follow_parent() {
        return;
    }
    let directory = TemporaryDirectory::make().unwrap();
    let mut program = Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "db::embedded::tests::a_program_that_runs_until_it_is_killed",
        ])
        .env(DIRECTORY, directory.path())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let note = directory.path().join("postgres/data/postmaster.pid");
    wait_for("the server starts", || {
        fs::read_to_string(&note).is_ok_and(|note| note.contains("ready"))
    });
    program.kill().unwrap();
    program.wait().unwrap();
    wait_for("the server ends", || !note.exists());
    assert!(
        fs::read_to_string(directory.path().join("postgres/server.log"))
            .unwrap()
            .contains("fast shutdown")
    );
}

/// Not a test of its own: the program that [`a_server_ends_with_its_killed_program`] kills.
#[test]
fn a_program_that_runs_until_it_is_killed() {
    let Some(directory) = std::env::var_os(DIRECTORY) else {
        return;
    };
    let _server = EmbeddedPostgres::start(&options(Path::new(&directory))).unwrap();
    sleep(Duration::from_mins(1));
}
