//! A PostgreSQL server of the tests' own.

use std::{
    fs,
    io::{Read as _, Write as _},
    os::unix::{fs::MetadataExt as _, process::CommandExt as _},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, Command, Stdio},
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

/// Keeps a server running for as long as its input is open, and cleans up then: a test process that is killed leaves
/// nothing behind either. `$1` is where the programs are, `$2` the directory, `$3` whether to wait for the disk; the rest are
/// settings.
const KEEPER: &str = r#"
set -e
programs=$1 home=$2 fsync=$3
shift 3
cd "$home"
trap 'rm -rf "$home"' EXIT
"$programs/initdb" -D data -U askfirst -A trust -E UTF8 --locale=C.UTF-8 --no-sync >log 2>&1
"$programs/postgres" -D data -k "$home" -c fsync="$fsync" -c full_page_writes="$fsync" \
    -c max_connections=400 -c unix_socket_permissions=0700 -c log_min_messages=warning "$@" >>log 2>&1 &
server=$!
cat >/dev/null || true
kill -INT $server
wait $server || true
"#;

/// A server, without a network unless it is asked for, in a directory of its own; it ends with the process that started it.
#[derive(Debug)]
pub(crate) struct Server {
    directory: PathBuf,
    port: u16,
    keeper: Child,
    open: Option<ChildStdin>,
    databases: AtomicU32,
}

impl Server {
    /// Starts a server; none where PostgreSQL is not installed, and then it says so. `fsync` is `on` or `off`.
    pub(crate) fn start(fsync: &str) -> Option<Self> {
        let programs = programs_or_say()?;
        Some(Self::start_in(directory(), &programs, fsync, 5432, &["listen_addresses=".to_owned()]))
    }

    /// Starts a server in a directory with what it needs, with settings of its own.
    pub(crate) fn start_in(
        directory: PathBuf,
        programs: &Path,
        fsync: &str,
        port: u16,
        settings: &[String],
    ) -> Self {
        let mut command = Command::new("sh");
        command.args(["-c", KEEPER, "keeper"]).arg(programs).arg(&directory).arg(fsync);
        command.args(settings.iter().flat_map(|setting| ["-c", setting]));
        // PostgreSQL refuses to run as root.
        if fs::metadata("/proc/self").unwrap().uid() == 0 {
            let (uid, gid) = unprivileged().expect("there is a user `postgres` or `nobody`");
            let inside = fs::read_dir(&directory).unwrap().map(|entry| entry.unwrap().path());
            for path in inside.chain([directory.clone()]) {
                std::os::unix::fs::chown(path, Some(uid), Some(gid)).unwrap();
            }
            command.gid(gid).uid(uid);
        }
        // A group of its own: an interrupt at the keyboard is for the tests, and the keeper sees them end.
        command.stdin(Stdio::piped()).stdout(Stdio::null()).process_group(0);
        let mut keeper = command.spawn().unwrap();
        let open = keeper.stdin.take();
        let mut server = Self { directory, port, keeper, open, databases: AtomicU32::new(0) };
        server.await_ready();
        server
    }

    fn await_ready(&mut self) {
        // The server writes `ready` into its lock file once it takes connections.
        let lock = self.directory.join("data/postmaster.pid");
        for _ in 0..1200 {
            if fs::read_to_string(&lock).is_ok_and(|text| text.contains("ready")) {
                return;
            }
            if self.keeper.try_wait().unwrap().is_some() {
                break;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        let mut log = String::new();
        let _ = fs::File::open(self.directory.join("log")).and_then(|mut file| file.read_to_string(&mut log));
        panic!("PostgreSQL does not start: {log}");
    }

    /// A database, by way of the server's socket.
    pub(crate) fn url(&self, database: &str) -> String {
        let (host, port) = (self.directory.display(), self.port);
        format!("postgres:///{database}?user=askfirst&host={host}&port={port}")
    }

    /// Makes an empty database and gives its URL.
    pub(crate) async fn database(&self) -> String {
        let name = format!("test_{}", self.databases.fetch_add(1, Ordering::Relaxed));
        self.run(&format!("CREATE DATABASE {name}")).await;
        self.url(&name)
    }

    /// Runs a statement in the database `postgres`.
    pub(crate) async fn run(&self, sql: &str) {
        let mut connection = connect(&self.url("postgres")).await;
        sqlx::raw_sql(sqlx::AssertSqlSafe(sql.to_owned())).execute(&mut connection).await.unwrap();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.open.take());
        let _ = self.keeper.wait();
    }
}

/// For a server's files. Whoever keeps the server takes it away.
pub(crate) fn directory() -> PathBuf {
    tempfile::Builder::new().prefix("askfirst-pg-").tempdir().unwrap().keep()
}

/// Where the programs are; says so when they are nowhere.
pub(crate) fn programs_or_say() -> Option<PathBuf> {
    let programs = programs();
    if programs.is_none() {
        // Written to the stream itself, so that it is seen though the tests pass.
        let said = "SKIPPED: the tests on PostgreSQL, for there are no `initdb` and `postgres` in \
                    /usr/lib/postgresql/*/bin or PATH (Debian: apt-get install postgresql)\n";
        std::io::stderr().write_all(said.as_bytes()).unwrap();
    }
    programs
}

/// A connection beside the store's.
pub(crate) async fn connect(url: &str) -> sqlx::PgConnection {
    use sqlx::Connection as _;
    sqlx::PgConnection::connect(url).await.unwrap()
}

/// Where `initdb` and `postgres` are: the newest that Debian has installed, or what the path names.
fn programs() -> Option<PathBuf> {
    let installed = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut installed: Vec<_> = installed.map(|entry| entry.path().join("bin")).collect();
    installed.sort_by_key(|bin| {
        let version =
            bin.parent().and_then(Path::file_name).and_then(|name| name.to_str()?.parse::<u32>().ok());
        std::cmp::Reverse(version)
    });
    let path = std::env::var_os("PATH").unwrap_or_default();
    installed
        .into_iter()
        .chain(std::env::split_paths(&path))
        .find(|bin| bin.join("initdb").is_file() && bin.join("postgres").is_file())
}

/// The ids of a user who may do little.
fn unprivileged() -> Option<(u32, u32)> {
    let users = fs::read_to_string("/etc/passwd").unwrap();
    ["postgres", "nobody"].into_iter().find_map(|wanted| {
        let line = users.lines().find(|line| line.split(':').next() == Some(wanted))?;
        let mut fields = line.split(':').skip(2);
        Some((fields.next()?.parse().ok()?, fields.next()?.parse().ok()?))
    })
}
