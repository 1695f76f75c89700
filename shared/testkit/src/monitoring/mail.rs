//! A mail server that takes what it is given: as much of SMTP as Alertmanager speaks.

use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};

use super::receiver::{Shared, Way, note};

/// Takes mail until it is dropped.
pub(super) async fn serve(listener: TcpListener, shared: Shared) {
    while let Ok((stream, _)) = listener.accept().await {
        tokio::spawn(converse(stream, shared.clone()));
    }
}

/// Talks to one client until that has nothing more to say.
async fn converse(stream: TcpStream, shared: Shared) -> std::io::Result<()> {
    let (from, mut to) = stream.into_split();
    let mut lines = BufReader::new(from).lines();
    say(&mut to, "220 localhost").await?;
    while let Some(line) = lines.next_line().await? {
        let word = line.split(' ').next().unwrap_or_default().to_ascii_uppercase();
        let answer = match word.as_str() {
            "EHLO" => "250-localhost\r\n250 AUTH PLAIN",
            "AUTH" => "235 welcome",
            "DATA" => {
                say(&mut to, "354 go on").await?;
                let mail = read_mail(&mut lines).await?;
                if note(&shared, Way::Mail, Value::String(mail)) { "250 taken" } else { "554 refused" }
            }
            "QUIT" => "221 good bye",
            _ => "250 well",
        };
        say(&mut to, answer).await?;
    }
    Ok(())
}

/// All lines up to one with nothing but a dot.
async fn read_mail(lines: &mut Lines<BufReader<OwnedReadHalf>>) -> std::io::Result<String> {
    let mut mail = String::new();
    while let Some(line) = lines.next_line().await?.filter(|line| line != ".") {
        mail.push_str(&line);
        mail.push('\n');
    }
    Ok(mail)
}

async fn say(to: &mut OwnedWriteHalf, line: &str) -> std::io::Result<()> {
    to.write_all(format!("{line}\r\n").as_bytes()).await
}
