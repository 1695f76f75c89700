//! Where a token ends: small scanners over bytes, each of them linear, with a limit wherever one looks ahead in vain.
//!
//! Every place returned lies between two characters: scanners end at ASCII signs, at the ends of lines or of the code.

/// How far a scanner looks for an end before it gives up.
pub(super) const LOOK_AHEAD: usize = 300;

/// The end of the line, before its line break.
pub(super) fn line_end(bytes: &[u8], from: usize) -> usize {
    memchr::memchr2(b'\n', b'\r', &bytes[from..]).map_or(bytes.len(), |length| from + length)
}

/// The start of the next line.
pub(super) fn next_line(bytes: &[u8], from: usize) -> usize {
    memchr::memchr(b'\n', &bytes[from..]).map_or(bytes.len(), |length| from + length + 1)
}

/// The place behind a text, or the end of the code if it does not come.
pub(super) fn after(bytes: &[u8], from: usize, text: &[u8]) -> usize {
    memchr::memmem::find(&bytes[from..], text).map_or(bytes.len(), |length| from + length + text.len())
}

/// The place behind a comment that may hold comments.
pub(super) fn after_nested(bytes: &[u8], from: usize, open: &[u8], close: &[u8]) -> usize {
    let (mut at, mut depth) = (from, 1_usize);
    while let Some(next) = memchr::memchr2(open[0], close[0], &bytes[at..]) {
        at += next;
        if bytes[at..].starts_with(close) {
            at += close.len();
            depth -= 1;
            if depth == 0 {
                return at;
            }
        } else if bytes[at..].starts_with(open) {
            at += open.len();
            depth += 1;
        } else {
            at += 1;
        }
    }
    bytes.len()
}

/// The end of a run of bytes.
pub(super) fn run(bytes: &[u8], from: usize, belongs: impl Fn(u8) -> bool) -> usize {
    bytes[from..].iter().position(|byte| !belongs(*byte)).map_or(bytes.len(), |length| from + length)
}

/// The place of the next byte that is no space or tab, not far away.
pub(super) fn skip_blanks(bytes: &[u8], from: usize) -> usize {
    let end = bytes.len().min(from + LOOK_AHEAD);
    from + bytes[from..end].iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count()
}

/// The end of a number in any usual notation: `0xFF_u8`, `1.5e-3`, `1'000`, `10px`.
pub(super) fn number(bytes: &[u8], from: usize) -> usize {
    let is_hex = bytes[from] == b'0' && bytes.get(from + 1).is_some_and(|byte| matches!(byte, b'x' | b'X'));
    let mut at = from;
    while let Some(byte) = bytes.get(at) {
        let next_is_digit = bytes.get(at + 1).is_some_and(u8::is_ascii_digit);
        let belongs = match byte {
            b'.' | b'\'' => next_is_digit,
            b'+' | b'-' => !is_hex && next_is_digit && matches!(bytes[at.max(1) - 1], b'e' | b'E'),
            byte => byte.is_ascii_alphanumeric() || *byte == b'_',
        };
        if !belongs {
            break;
        }
        at += 1;
    }
    at
}

/// The place behind an escape: the sign, the next character, and the digits that belong to it.
pub(super) fn escape(bytes: &[u8], from: usize) -> usize {
    let Some(kind) = bytes.get(from + 1) else { return bytes.len() };
    let at = run(bytes, from + 2, is_continuation);
    let digits = |most: usize| at + bytes[at..].iter().take(most).take_while(|byte| byte.is_ascii_hexdigit()).count();
    match kind {
        b'x' => digits(2),
        b'u' if bytes.get(at) == Some(&b'{') => {
            let close = at + 1 + bytes[at + 1..].iter().take(8).take_while(|byte| byte.is_ascii_hexdigit()).count();
            if bytes.get(close) == Some(&b'}') { close + 1 } else { at }
        }
        b'u' => digits(4),
        b'U' => digits(8),
        _ => at,
    }
}

/// Whether a byte is inside a character.
pub(super) fn is_continuation(byte: u8) -> bool {
    byte & 0xC0 == 0x80
}

/// The place behind an expression on one line, whose opening brackets stand between `start` and `from`.
pub(super) fn expression(bytes: &[u8], start: usize, from: usize) -> Option<usize> {
    let is_bracket = |byte: &&u8| matches!(byte, b'{' | b'(');
    let open = *bytes[start..from].iter().find(is_bracket)?;
    let close = if open == b'(' { b')' } else { b'}' };
    let mut depth = bytes[start..from].iter().filter(is_bracket).count();
    for (at, byte) in bytes.iter().enumerate().skip(from).take(LOOK_AHEAD) {
        match *byte {
            b'\n' => return None,
            byte if byte == open => depth += 1,
            byte if byte == close => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return Some(at + 1);
        }
    }
    None
}

/// The place behind a regular expression and its flags.
pub(super) fn regex(bytes: &[u8], from: usize) -> Option<usize> {
    let mut in_set = false;
    let mut at = from + 1;
    if matches!(bytes.get(at), None | Some(b'/' | b'*')) {
        return None;
    }
    while at < bytes.len().min(from + LOOK_AHEAD) {
        match bytes[at] {
            b'\n' | b'\r' => return None,
            b'\\' => at += 1,
            b'[' => in_set = true,
            b']' => in_set = false,
            b'/' if !in_set => return Some(run(bytes, at + 1, |byte| byte.is_ascii_alphabetic())),
            _ => {}
        }
        at += 1;
    }
    None
}

/// The place behind a character in single quotes.
pub(super) fn character(bytes: &[u8], from: usize) -> Option<usize> {
    let close = match bytes.get(from + 1)? {
        b'\\' => escape(bytes, from + 1),
        b'\'' | b'\n' => return None,
        _ => run(bytes, from + 2, is_continuation),
    };
    (bytes.get(close) == Some(&b'\'')).then_some(close + 1)
}

/// The place behind a raw string of Rust: `r#"…"#`, with `b` or `c` before it.
pub(super) fn rust_string(bytes: &[u8], from: usize) -> Option<usize> {
    let prefix = usize::from(matches!(bytes[from], b'b' | b'c'));
    if bytes.get(from + prefix) != Some(&b'r') {
        return None;
    }
    let hashes = bytes[from + prefix + 1..].iter().take(255).take_while(|byte| **byte == b'#').count();
    let quote = from + prefix + 1 + hashes;
    if bytes.get(quote) != Some(&b'"') {
        return None;
    }
    let mut close = Vec::with_capacity(hashes + 1);
    close.push(b'"');
    close.resize(hashes + 1, b'#');
    Some(after(bytes, quote + 1, &close))
}

/// The place behind a raw string of C++: `R"x(…)x"`.
pub(super) fn cpp_string(bytes: &[u8], from: usize) -> Option<usize> {
    let rest = bytes[from..].strip_prefix(b"R\"")?;
    let length = rest.iter().take(17).position(|byte| *byte == b'(')?;
    let close = [b")", &rest[..length], b"\""].concat();
    Some(after(bytes, from + 2 + length + 1, &close))
}

/// The place behind a long string of Lua: `[==[…]==]`.
pub(super) fn lua_string(bytes: &[u8], from: usize) -> Option<usize> {
    let level = bytes[from..].iter().skip(1).take(64).take_while(|byte| **byte == b'=').count();
    if bytes.get(from + 1 + level) != Some(&b'[') {
        return None;
    }
    let close = [b"]".as_slice(), &vec![b'='; level], b"]"].concat();
    Some(after(bytes, from + 2 + level, &close))
}

/// The place behind a dollar-quoted string of SQL: `$x$…$x$`.
pub(super) fn dollar_string(bytes: &[u8], from: usize) -> Option<usize> {
    let name =
        bytes[from + 1..].iter().take(64).take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_').count();
    let quote = bytes.get(from..from + name + 2).filter(|quote| quote.ends_with(b"$"))?;
    Some(after(bytes, from + quote.len(), quote))
}

/// The start of a here-document: the place behind it, and the word that ends the lines below.
pub(super) fn heredoc(bytes: &[u8], from: usize) -> Option<(usize, &[u8])> {
    let mut at = from + 2;
    at += usize::from(matches!(bytes.get(at), Some(b'-' | b'~')));
    let quote = bytes.get(at).filter(|byte| matches!(byte, b'"' | b'\''));
    at += usize::from(quote.is_some());
    let end = run(bytes, at, |byte| byte.is_ascii_alphanumeric() || byte == b'_');
    if end == at || end - at > 64 || bytes[at].is_ascii_digit() || bytes.get(from.wrapping_sub(1)) == Some(&b'<') {
        return None;
    }
    let closed = quote.is_none() || bytes.get(end) == quote;
    closed.then_some((end + usize::from(quote.is_some()), &bytes[at..end]))
}

/// The lines of a here-document that start at a place: the place behind the line that ends them.
pub(super) fn heredoc_end(bytes: &[u8], from: usize, word: &[u8]) -> Option<usize> {
    let mut start = from;
    while start < bytes.len() {
        let end = line_end(bytes, start);
        if bytes[start..end].trim_ascii() == word {
            return Some(end);
        }
        start = next_line(bytes, start);
    }
    None
}
