//! The data directory: made for its owner alone, used by one server at a time.

use anyhow::{Context as _, bail};
use askfirst_domain::audit::SigningKey;
use askfirst_engine::{Entropy as _, SystemEntropy, admin::start::FirstKey};
use std::{
    fmt::Write as _,
    fs::{DirBuilder, File, OpenOptions, TryLockError},
    io::{Read as _, Write as _},
    path::{Path, PathBuf},
};

/// The file with the first keys, in the data directory.
pub(crate) const KEYS_FILE: &str = "keys.txt";
const STORE_FILE: &str = "askfirst.db";
const DECISIONS_FILE: &str = "decisions.db";
const LOCK_FILE: &str = "lock";
/// The private key with which this server signs the audit log.
const AUDIT_KEY_FILE: &str = "audit-key";

/// A data directory. One with a database in it is used by no other server, as long as this lives.
#[derive(Debug)]
pub(crate) struct DataDir {
    path: PathBuf,
    /// The lock ends with the file, also when the process is killed.
    _lock: Option<File>,
}

impl DataDir {
    /// Makes the directory when it is not there, and takes it.
    ///
    /// # Errors
    /// When another server has it, or it can't be written.
    pub(crate) fn take(path: &Path) -> anyhow::Result<Self> {
        let shown = path.display();
        make_private_directory(path).with_context(|| format!("can't make the data directory {shown}"))?;
        let lock =
            open_private(&path.join(LOCK_FILE), OpenOptions::new().write(true).create(true).truncate(false))
                .with_context(|| format!("can't write in the data directory {shown}"))?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { path: path.to_owned(), _lock: Some(lock) }),
            Err(TryLockError::WouldBlock) => bail!(
                "another askfirst server uses the data directory {shown}; stop it, or choose another one with --data"
            ),
            Err(TryLockError::Error(e)) => {
                Err(e).with_context(|| format!("can't lock the data directory {shown}"))
            }
        }
    }

    /// Makes the directory when it is not there, for a server whose database is elsewhere; others may use it as well.
    ///
    /// # Errors
    /// When it can't be made.
    pub(crate) fn share(path: &Path) -> anyhow::Result<Self> {
        make_private_directory(path)
            .with_context(|| format!("can't make the data directory {}", path.display()))?;
        Ok(Self { path: path.to_owned(), _lock: None })
    }

    /// Where the database of a data directory is, whether or not it is there.
    pub(crate) fn store_file_in(directory: &Path) -> PathBuf {
        directory.join(STORE_FILE)
    }

    /// The file of the database. It is there, and readable by its owner alone: SQLite gives the files beside it the same
    /// rights.
    pub(crate) fn store_file(&self) -> anyhow::Result<PathBuf> {
        self.private_file(STORE_FILE)
    }

    /// The file of the decision log, as private as the database.
    pub(crate) fn decisions_file(&self) -> anyhow::Result<PathBuf> {
        self.private_file(DECISIONS_FILE)
    }

    /// The key with which the audit log is signed; the first start makes it. Another one is made when the file is gone, and
    /// what the old one has signed stays good.
    ///
    /// # Errors
    /// When the file can't be read or written, or holds something else.
    pub(crate) fn audit_key(&self) -> anyhow::Result<SigningKey> {
        let path = self.path.join(AUDIT_KEY_FILE);
        let shown = path.display();
        // Of several servers on one directory, one makes it.
        let mut file =
            open_private(&path, OpenOptions::new().read(true).write(true).create(true).truncate(false))
                .and_then(|file| file.lock().map(|()| file))
                .with_context(|| format!("can't write {shown}"))?;
        let mut text = String::new();
        file.read_to_string(&mut text).with_context(|| format!("can't read {shown}"))?;
        let mut seed = [0; 32];
        if text.is_empty() {
            SystemEntropy.fill(&mut seed)?;
            let text = format!("{}\n", hex::encode(seed));
            let written = file.write_all(text.as_bytes()).and_then(|()| file.sync_all());
            written.with_context(|| format!("can't write {shown}"))?;
        } else if hex::decode_to_slice(text.trim(), &mut seed).is_err() {
            bail!("{shown} holds no key; put it aside, and the next start makes another one");
        }
        Ok(SigningKey::from_seed(&seed))
    }

    fn private_file(&self, name: &str) -> anyhow::Result<PathBuf> {
        let path = self.path.join(name);
        open_private(&path, OpenOptions::new().append(true).create(true))
            .with_context(|| format!("can't write {}", path.display()))?;
        Ok(path)
    }

    /// Opens the file for the first keys, before there are any: what can't be written must not be made. Keys that an
    /// earlier start wrote and did not live to make are dropped. Waits for another server that has the file open.
    pub(crate) fn keys_file(&self) -> anyhow::Result<KeysFile> {
        let path = self.path.join(KEYS_FILE);
        let file = open_private(&path, OpenOptions::new().append(true).create(true))
            .and_then(|file| file.lock().map(|()| file))
            .with_context(|| format!("can't write {}", path.display()))?;
        Ok(KeysFile { file, path, written: false })
    }
}

/// The file for the first keys.
#[derive(Debug)]
pub(crate) struct KeysFile {
    file: File,
    path: PathBuf,
    /// By this start.
    written: bool,
}

impl KeysFile {
    /// Writes the keys. The one that the operator chose is named and not repeated.
    pub(crate) fn write(&mut self, keys: &[FirstKey], chosen: Option<&str>) -> std::io::Result<()> {
        let mut text = String::from(
            "# The first API keys of this askfirst server. Whoever has a key has what it opens.\n",
        );
        for key in keys {
            let secret = key.secret.reveal();
            let shown = if chosen == Some(secret) { "(ASKFIRST_API_KEY of the first start)" } else { secret };
            // Writing to a string does not fail.
            let _ = writeln!(text, "{:<32}{shown}", key.opens);
        }
        self.written = true;
        self.file.set_len(0)?;
        self.file.write_all(text.as_bytes())?;
        self.file.sync_all()
    }

    /// Where it stands.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Takes the file away again when it was made for nothing, or what this start has written into it opens nothing.
    pub(crate) fn discard(self) {
        if self.written || self.file.metadata().is_ok_and(|meta| meta.len() == 0) {
            // An empty file does no harm, and neither do keys that open nothing.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

/// Makes a directory, when it is not there, for its owner alone.
pub(crate) fn make_private_directory(path: &Path) -> std::io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    private_directory(&mut builder);
    builder.create(path)
}

#[cfg(unix)]
fn private_directory(builder: &mut DirBuilder) {
    use std::os::unix::fs::DirBuilderExt as _;
    builder.mode(0o700);
}

#[cfg(not(unix))]
fn private_directory(_: &mut DirBuilder) {}

#[cfg(unix)]
pub(crate) fn open_private(path: &Path, options: &mut OpenOptions) -> std::io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt as _;
    options.mode(0o600).open(path)
}

#[cfg(not(unix))]
pub(crate) fn open_private(path: &Path, options: &mut OpenOptions) -> std::io::Result<File> {
    options.open(path)
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use askfirst_engine::Secret;
    use std::os::unix::fs::PermissionsExt as _;

    fn mode(path: &Path) -> Option<u32> {
        std::fs::metadata(path).ok().map(|meta| meta.permissions().mode() & 0o777)
    }

    #[test]
    fn one_server_at_a_time() {
        let parent = tempfile::tempdir().unwrap();
        let path = parent.path().join("a").join("data");
        let first = DataDir::take(&path).unwrap();
        let refusal = DataDir::take(&path).unwrap_err().to_string();
        assert!(refusal.starts_with("another askfirst server uses the data directory"), "{refusal}");
        drop(first);
        DataDir::take(&path).unwrap();
    }

    #[test]
    fn everything_is_its_owners_alone() {
        let parent = tempfile::tempdir().unwrap();
        let path = parent.path().join("data");
        let data = DataDir::take(&path).unwrap();
        let store = data.store_file().unwrap();
        let key =
            |opens: &str, secret: &str| FirstKey { opens: opens.into(), secret: Secret::presented(secret) };
        let keys = [key("organization default", "made"), key("environment default/dev", "chosen")];
        let mut file = data.keys_file().unwrap();
        // The second time stands for a start after one that died before its keys opened anything.
        file.write(&[key("organization default", "dropped")], None).unwrap();
        file.write(&keys, Some("chosen")).unwrap();
        let file = file.path();
        assert_eq!((mode(&path), mode(&store), mode(file)), (Some(0o700), Some(0o600), Some(0o600)));
        let text = std::fs::read_to_string(file).unwrap();
        assert!(
            text.contains("organization default            made\n") && !text.contains("dropped"),
            "{text}"
        );
        assert!(text.contains("(ASKFIRST_API_KEY of the first start)") && !text.contains("chosen"), "{text}");
    }

    #[test]
    fn the_audit_key_is_made_once_and_stays() {
        let parent = tempfile::tempdir().unwrap();
        let data = DataDir::take(parent.path()).unwrap();
        let path = parent.path().join(AUDIT_KEY_FILE);
        let first = data.audit_key().unwrap().public();
        assert_eq!(data.audit_key().unwrap().public(), first);
        assert_eq!(mode(&path), Some(0o600));
        std::fs::rename(&path, parent.path().join("old")).unwrap();
        assert_ne!(data.audit_key().unwrap().public(), first);
        std::fs::write(&path, "my dog").unwrap();
        let refusal = data.audit_key().unwrap_err().to_string();
        assert!(refusal.contains("holds no key") && !refusal.contains("dog"), "{refusal}");
    }

    #[test]
    fn who_has_no_database_there_shares_the_directory() {
        let parent = tempfile::tempdir().unwrap();
        let path = parent.path().join("data");
        let (first, second) = (DataDir::share(&path).unwrap(), DataDir::share(&path).unwrap());
        let keys = |secret: &str| [FirstKey { opens: "x".into(), secret: Secret::presented(secret) }];
        // Of two who start at once, the other one finds the first one's keys and lets them be.
        first.keys_file().unwrap().write(&keys("made"), None).unwrap();
        second.keys_file().unwrap().discard();
        let text = || std::fs::read_to_string(path.join(KEYS_FILE));
        assert!(text().unwrap().contains("made"));
        // Keys that somebody else was faster to make are dropped.
        let mut file = second.keys_file().unwrap();
        file.write(&keys("late"), None).unwrap();
        file.discard();
        assert!(text().is_err());
    }

    #[test]
    fn an_unused_keys_file_leaves_and_a_used_one_stays() {
        let parent = tempfile::tempdir().unwrap();
        let data = DataDir::take(parent.path()).unwrap();
        let path = parent.path().join(KEYS_FILE);
        data.keys_file().unwrap().discard();
        assert!(!path.exists());
        std::fs::write(&path, "kept").unwrap();
        data.keys_file().unwrap().discard();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "kept");
    }
}
