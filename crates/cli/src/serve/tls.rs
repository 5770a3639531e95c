//! TLS: the certificate and its key from files, read again when they change.

use anyhow::{Context as _, bail};
use arc_swap::ArcSwap;
use rustls::{
    ServerConfig,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
};
use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, SystemTime},
};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

/// How often the files are looked at.
const LOOK: Duration = Duration::from_secs(30);

/// The files that an operator gave, in PEM.
#[derive(Debug, Clone)]
pub(crate) struct TlsFiles {
    /// The certificate, then those of its issuers.
    pub(crate) certificate: PathBuf,
    pub(crate) key: PathBuf,
}

/// Encrypts connections. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Tls {
    files: TlsFiles,
    current: Arc<Current>,
    config: Arc<ServerConfig>,
}

/// The certificate of this moment.
#[derive(Debug)]
struct Current(ArcSwap<CertifiedKey>);

impl ResolvesServerCert for Current {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.0.load_full())
    }
}

impl Tls {
    /// Reads the files.
    ///
    /// # Errors
    /// When one can't be read, or the key is not the certificate's.
    pub(crate) fn read(files: TlsFiles) -> anyhow::Result<Self> {
        let current = Arc::new(Current(ArcSwap::from_pointee(certified(&files)?)));
        let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .context("TLS can't be set up")?
            .with_no_client_auth()
            .with_cert_resolver(Arc::clone(&current) as _);
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(Self { files, current, config: Arc::new(config) })
    }

    pub(super) fn acceptor(&self) -> TlsAcceptor {
        TlsAcceptor::from(Arc::clone(&self.config))
    }

    /// Reads the files again whenever they change, until told to stop. What can't be used is reported, and the
    /// certificate that is there stays.
    pub(super) async fn follow_files(self, stop: CancellationToken) {
        let mut seen = stamp(&self.files);
        while stop.run_until_cancelled(tokio::time::sleep(LOOK)).await.is_some() {
            let now = stamp(&self.files);
            if now != seen {
                self.reload();
                seen = now;
            }
        }
    }

    fn reload(&self) {
        match certified(&self.files) {
            Ok(read) => {
                self.current.0.store(Arc::new(read));
                tracing::info!("the certificate was read again");
            }
            Err(reason) => tracing::error!(
                reason = format!("{reason:#}"),
                "the new certificate can't be used; the one before it stays"
            ),
        }
    }
}

/// When the files were written last.
fn stamp(files: &TlsFiles) -> [Option<SystemTime>; 2] {
    [&files.certificate, &files.key].map(|path| std::fs::metadata(path).and_then(|meta| meta.modified()).ok())
}

fn certified(files: &TlsFiles) -> anyhow::Result<CertifiedKey> {
    let chain = certificates(&files.certificate)?;
    let key = PrivateKeyDer::from_pem_file(&files.key)
        .with_context(|| format!("can't read a private key in PEM from {}", files.key.display()))?;
    CertifiedKey::from_der(chain, key, &ring::default_provider()).with_context(|| {
        format!(
            "the key in {} does not go with the certificate in {}",
            files.key.display(),
            files.certificate.display()
        )
    })
}

fn certificates(path: &Path) -> anyhow::Result<Vec<CertificateDer<'static>>> {
    let shown = path.display();
    let read = CertificateDer::pem_file_iter(path).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let chain = read.with_context(|| format!("can't read a certificate in PEM from {shown}"))?;
    if chain.is_empty() {
        bail!("there is no certificate in PEM in {shown}");
    }
    Ok(chain)
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Made {
        certificate: String,
        key: String,
    }

    fn made(name: &str) -> Made {
        let made = rcgen::generate_simple_self_signed(vec![name.to_owned()]).unwrap();
        Made { certificate: made.cert.pem(), key: made.signing_key.serialize_pem() }
    }

    fn files(dir: &Path, certificate: &str, key: &str) -> TlsFiles {
        let files = TlsFiles { certificate: dir.join("chain.pem"), key: dir.join("key.pem") };
        std::fs::write(&files.certificate, certificate).unwrap();
        std::fs::write(&files.key, key).unwrap();
        files
    }

    fn refusal(files: TlsFiles) -> String {
        format!("{:#}", Tls::read(files).unwrap_err())
    }

    #[test]
    fn what_can_not_be_used_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let (one, other) = (made("one"), made("other"));
        let mixed = refusal(files(dir.path(), &one.certificate, &other.key));
        assert!(mixed.contains("key.pem does not go with the certificate in"), "{mixed}");
        let swapped = refusal(files(dir.path(), &one.key, &one.certificate));
        assert!(swapped.contains("there is no certificate in PEM in"), "{swapped}");
        let empty = refusal(files(dir.path(), &one.certificate, ""));
        assert!(empty.contains("can't read a private key in PEM from"), "{empty}");
        let mut missing = files(dir.path(), &one.certificate, &one.key);
        missing.certificate = dir.path().join("nowhere.pem");
        let missing = refusal(missing);
        assert!(missing.contains("can't read a certificate in PEM from"), "{missing}");
    }

    #[test]
    fn a_new_certificate_is_taken_and_a_broken_one_is_not() {
        let dir = tempfile::tempdir().unwrap();
        let (one, other) = (made("one"), made("other"));
        let tls = Tls::read(files(dir.path(), &one.certificate, &one.key)).unwrap();
        let shown = || tls.current.0.load().cert.clone();
        let first = shown();
        files(dir.path(), &other.certificate, &one.key);
        tls.reload();
        assert_eq!(shown(), first);
        files(dir.path(), &other.certificate, &other.key);
        tls.reload();
        assert_ne!(shown(), first);
    }
}
