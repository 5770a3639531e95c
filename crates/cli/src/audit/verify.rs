//! `askfirst audit verify`.

use super::source::{self, EXPORT, Line, Title};
use crate::{client::Client, env::Env, terminal};
use anyhow::{Context as _, anyhow, bail};
use askfirst_domain::audit::{ChainHead, Expected, PublicKey, Receipt, Report, SignedHead, Verifier};
use std::{
    fs::{self, File},
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::ExitCode,
};

/// Verify the log: that nothing in it was edited, left out, moved or cut off
///
/// Reads the whole log of the environment from the server, or an export, or a receipt; the last two need no server. Ends with
/// 1 when something is found, and says where.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  askfirst audit verify
  askfirst audit verify --keys keys.json --head head.json
  askfirst audit verify audit.jsonl --keys keys.json --head 812:5b1c...
  askfirst audit verify receipt.json --keys keys.json")]
pub(super) struct Args {
    /// An export, or a receipt; else the log of the server
    file: Option<PathBuf>,
    /// The public keys to trust; without them, those that the log itself names, which proves less
    #[arg(long, value_name = "FILE")]
    keys: Option<PathBuf>,
    /// A head that the log must hold: a file that `audit head` wrote, or NUMBER:HASH; may be given more than once
    #[arg(long, value_name = "HEAD")]
    head: Vec<String>,
}

pub(super) async fn run(args: Args, env: &Env) -> anyhow::Result<ExitCode> {
    let trusted = args.keys.as_deref().map(source::trusted).transpose()?;
    let expected = args.head.iter().map(|head| expected(head)).collect::<anyhow::Result<Vec<_>>>()?;
    let given = trusted.is_some();
    let (report, keys) = match &args.file {
        Some(file) => {
            if let Some(receipts) = receipts(file)? {
                let trusted = trusted.ok_or_else(|| {
                    anyhow!("a receipt is verified with --keys FILE; it can't vouch for its own key")
                })?;
                return check_receipts(&receipts, &trusted);
            }
            of_file(file, trusted, expected)?
        }
        None => of_server(&Client::from_env(env)?, trusted, expected).await?,
    };
    tell(&report, &keys, given)
}

/// A head as it is named on the command line.
fn expected(text: &str) -> anyhow::Result<Expected> {
    if let Some((n, hash)) = text.split_once(':')
        && let (Ok(n), Ok(hash)) = (n.parse(), hash.parse())
    {
        return Ok(Expected::Noted(ChainHead { n, hash }));
    }
    let read = fs::read_to_string(text)
        .with_context(|| format!("`{text}` is neither NUMBER:HASH nor a file that can be read"))?;
    let signed: SignedHead = serde_json::from_str(&read)
        .map_err(|_| anyhow!("{text} is no signed head, as `audit head` writes it"))?;
    Ok(Expected::Signed(Box::new(signed)))
}

async fn of_server(
    client: &Client,
    trusted: Option<Vec<PublicKey>>,
    expected: Vec<Expected>,
) -> anyhow::Result<(Report, Vec<PublicKey>)> {
    let keys = match trusted {
        Some(keys) => keys,
        None => source::public(&source::keys(client).await?)?,
    };
    let heads = source::heads(client).await?;
    let mut part = source::next(client, 0).await?;
    let mut verifier = Verifier::new(part.env, Some(part.installation), keys.clone());
    let heads = heads.into_iter().map(|head| Expected::Signed(Box::new(head)));
    heads.chain(expected).for_each(|head| verifier.expect(head));
    while let Some(last) = part.events.last() {
        let after = last.n;
        for entry in &part.events {
            verifier.take(entry, None);
        }
        part = source::next(client, after).await?;
    }
    Ok((verifier.finish(), keys))
}

fn of_file(
    path: &Path,
    trusted: Option<Vec<PublicKey>>,
    expected: Vec<Expected>,
) -> anyhow::Result<(Report, Vec<PublicKey>)> {
    let shown = path.display();
    let file = File::open(path).with_context(|| format!("can't read {shown}"))?;
    let mut lines = BufReader::new(file).lines().enumerate();
    let (_, title) = lines.next().with_context(|| format!("{shown} is empty"))?;
    let title: Title = serde_json::from_str(&title.with_context(|| format!("can't read {shown}"))?)
        .map_err(|_| anyhow!("{shown} is neither an export of the audit log nor a receipt"))?;
    if title.kind != EXPORT {
        bail!("{shown} is an export of another kind, `{}`", title.kind);
    }
    let keys = match trusted {
        Some(keys) => keys,
        None => source::public(&title.keys)?,
    };
    let mut verifier = Verifier::new(title.env, Some(title.installation), keys.clone());
    for head in expected {
        verifier.expect(head);
    }
    for (number, line) in lines {
        let line = line.with_context(|| format!("can't read {shown}"))?;
        let line = serde_json::from_str(&line)
            .map_err(|e| anyhow!("{shown}, line {}: it is no part of an audit log: {e}", number + 1))?;
        match line {
            Line::Head(head) => verifier.expect(Expected::Signed(Box::new(head))),
            Line::Event(entry) => verifier.take(&entry, None),
        }
    }
    Ok((verifier.finish(), keys))
}

/// The receipts in a file, one a line or one in all; none when there is something else in it.
fn receipts(path: &Path) -> anyhow::Result<Option<Vec<Receipt>>> {
    let shown = path.display();
    let file = File::open(path).with_context(|| format!("can't read {shown}"))?;
    let mut first = String::new();
    BufReader::new(file).read_line(&mut first).with_context(|| format!("can't read {shown}"))?;
    if first.contains(EXPORT) {
        return Ok(None);
    }
    let text = fs::read_to_string(path).with_context(|| format!("can't read {shown}"))?;
    let receipts: Result<Vec<Receipt>, _> = serde_json::Deserializer::from_str(&text).into_iter().collect();
    match receipts {
        Ok(receipts) if !receipts.is_empty() => Ok(Some(receipts)),
        _ => bail!("{shown} is neither an export of the audit log nor a receipt"),
    }
}

fn check_receipts(receipts: &[Receipt], keys: &[PublicKey]) -> anyhow::Result<ExitCode> {
    let mut code = ExitCode::SUCCESS;
    for receipt in receipts {
        match receipt.verify(keys) {
            Ok(body) => terminal::line(format_args!(
                "event {} ({}, {}, {}) stands in the log of {}, signed with the key {}",
                receipt.n,
                body.id,
                terminal::plain(&body.code),
                body.at,
                receipt.env,
                receipt.head.key
            ))?,
            Err(error) => {
                code = ExitCode::from(1);
                terminal::line(format_args!(
                    "event {}: the receipt is not to be believed: {error}",
                    receipt.n
                ))?;
            }
        }
    }
    Ok(code)
}

fn tell(report: &Report, keys: &[PublicKey], given: bool) -> anyhow::Result<ExitCode> {
    for finding in &report.findings {
        terminal::line(terminal::plain(&finding.to_string()))?;
    }
    let ChainHead { n, hash } = report.head;
    if !given && let Some(signed) = &report.signed {
        let names: Vec<_> = keys.iter().map(|key| key.id().to_string()).collect();
        terminal::remark(format_args!(
            "askfirst: the log was held against the keys that it names itself ({}), up to event {}; compare them with \
             those that you know, or give --keys",
            names.join(", "),
            signed.n
        ));
    }
    if !report.findings.is_empty() {
        terminal::line(format_args!("{} findings in {n} events", report.findings.len()))?;
        return Ok(ExitCode::from(1));
    }
    let signed = match &report.signed {
        Some(signed) => format!("signed up to event {} ({} heads)", signed.n, report.heads),
        None => "nothing of it signed".to_owned(),
    };
    terminal::line(format_args!(
        "sound: {n} events, {signed}, {} with something erased; it ends {n}:{hash}",
        report.erased
    ))?;
    Ok(ExitCode::SUCCESS)
}
