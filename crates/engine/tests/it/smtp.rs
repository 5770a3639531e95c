//! A mail server that does what a test says, and a reader of what came in.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader},
    net::{TcpListener, TcpStream},
    sync::mpsc,
};

/// What the server does with one conversation.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Mood {
    /// Answers the letter with this instead of taking it.
    Refuse(&'static str),
    /// Answers the recipient with this.
    RefuseRecipient(&'static str),
    /// Hangs up before it answers the letter, which it has read.
    DieAfterLetter,
    /// Hangs up while the letter is on its way.
    DieInLetter,
    /// Never says a word.
    Silent,
}

/// A letter as it came in, taken or not.
#[derive(Debug, Clone)]
pub(crate) struct Letter {
    pub(crate) from: String,
    pub(crate) to: Vec<String>,
    pub(crate) raw: String,
}

pub(crate) struct MailServer {
    pub(crate) url: String,
    letters: mpsc::UnboundedReceiver<Letter>,
    moods: Arc<Mutex<VecDeque<Mood>>>,
}

impl MailServer {
    /// In these moods, one conversation after the other; then it takes everything.
    pub(crate) async fn start(moods: &[Mood]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("smtp://{}", listener.local_addr().unwrap());
        let moods = Arc::new(Mutex::new(moods.iter().copied().collect::<VecDeque<_>>()));
        let (tell, letters) = mpsc::unbounded_channel();
        let script = Arc::clone(&moods);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let mood = script.lock().unwrap().pop_front();
                tokio::spawn(converse(stream, mood, tell.clone()));
            }
        });
        Self { url, letters, moods }
    }

    /// Everything that came in so far.
    pub(crate) fn letters(&mut self) -> Vec<Letter> {
        std::iter::from_fn(|| self.letters.try_recv().ok()).collect()
    }

    pub(crate) fn is_calm(&self) -> bool {
        self.moods.lock().unwrap().is_empty()
    }
}

async fn converse(stream: TcpStream, mood: Option<Mood>, tell: mpsc::UnboundedSender<Letter>) -> Option<()> {
    let mut stream = BufReader::new(stream);
    if matches!(mood, Some(Mood::Silent)) {
        tokio::time::sleep(Duration::from_mins(5)).await;
        return None;
    }
    say(&mut stream, "220 post.example ESMTP").await?;
    let mut letter = Letter { from: String::new(), to: Vec::new(), raw: String::new() };
    loop {
        let line = hear(&mut stream).await?;
        match line.split([' ', ':']).next()?.to_ascii_uppercase().as_str() {
            "EHLO" => say(&mut stream, "250-post.example\r\n250 8BITMIME").await?,
            "MAIL" => {
                letter.from = line;
                say(&mut stream, "250 fine").await?;
            }
            "RCPT" => {
                letter.to.push(line.clone());
                match mood {
                    Some(Mood::RefuseRecipient(answer)) => say(&mut stream, answer).await?,
                    _ => say(&mut stream, "250 fine").await?,
                }
            }
            "DATA" => {
                say(&mut stream, "354 go on").await?;
                if matches!(mood, Some(Mood::DieInLetter)) {
                    return None;
                }
                loop {
                    let line = hear(&mut stream).await?;
                    if line == "." {
                        break;
                    }
                    letter.raw.push_str(line.strip_prefix('.').unwrap_or(&line));
                    letter.raw.push_str("\r\n");
                }
                tell.send(letter.clone()).ok()?;
                match mood {
                    Some(Mood::DieAfterLetter) => return None,
                    Some(Mood::Refuse(answer)) => say(&mut stream, answer).await?,
                    _ => say(&mut stream, "250 taken").await?,
                }
            }
            "QUIT" => return say(&mut stream, "221 bye").await,
            _ => say(&mut stream, "250 fine").await?,
        }
    }
}

async fn say(stream: &mut BufReader<TcpStream>, text: &str) -> Option<()> {
    stream.write_all(format!("{text}\r\n").as_bytes()).await.ok()
}

async fn hear(stream: &mut BufReader<TcpStream>) -> Option<String> {
    let mut line = String::new();
    let read = stream.read_line(&mut line).await.ok()?;
    (read > 0).then(|| line.trim_end_matches(['\r', '\n']).to_owned())
}

impl Letter {
    fn head(&self) -> &str {
        self.raw.split_once("\r\n\r\n").unwrap().0
    }

    /// The values of a header.
    pub(crate) fn said(&self, name: &str) -> Vec<String> {
        let unfolded = self.head().replace("\r\n ", " ").replace("\r\n\t", " ");
        let of_name = |line: &str| {
            let (found, value) = line.split_once(": ")?;
            found.eq_ignore_ascii_case(name).then(|| value.to_owned())
        };
        unfolded.split("\r\n").filter_map(of_name).collect()
    }

    /// The names of all headers, in order of the alphabet.
    pub(crate) fn headers(&self) -> Vec<String> {
        let lines = self.head().split("\r\n").filter(|line| !line.starts_with([' ', '\t']));
        let mut names: Vec<String> = lines.map(|line| line.split(':').next().unwrap().to_owned()).collect();
        names.sort();
        names
    }

    /// The text, and the same as HTML.
    pub(crate) fn parts(&self) -> (String, String) {
        let kind = self.said("Content-Type").pop().unwrap();
        let boundary = kind.split("boundary=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
        let boundary = format!("--{boundary}");
        let mut parts = self.raw.split(&boundary).skip(1).map(decoded);
        (parts.next().unwrap(), parts.next().unwrap())
    }
}

fn decoded(part: &str) -> String {
    let (head, body) = part.split_once("\r\n\r\n").unwrap();
    if head.contains("quoted-printable") {
        let mut bytes = Vec::new();
        let joined = body.replace("=\r\n", "");
        let mut rest = joined.bytes();
        while let Some(byte) = rest.next() {
            if byte == b'=' {
                let hex = [rest.next().unwrap(), rest.next().unwrap()];
                bytes.push(u8::from_str_radix(std::str::from_utf8(&hex).unwrap(), 16).unwrap());
            } else {
                bytes.push(byte);
            }
        }
        String::from_utf8(bytes).unwrap()
    } else if head.contains("base64") {
        String::from_utf8(STANDARD.decode(body.replace("\r\n", "")).unwrap()).unwrap()
    } else {
        body.to_owned()
    }
}
