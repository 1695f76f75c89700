//! Pixels to a WebP file, with the profile of their colours where they need one.
//!
//! libwebp knows pixels only; the profile is put beside them in the container, as the format's specification says.

use image::DynamicImage;
use webp::{Encoder, PixelLayout, WebPConfig};

use crate::ImageError;

/// Of 100: where photographs keep their looks and lose most of their bytes.
const QUALITY: f32 = 80.0;
/// From 0, fast, to 6, small. 4 is libwebp's own choice.
const METHOD: i32 = 4;

/// The bits of the header that say what the container holds.
const HAS_PROFILE: u8 = 0b0010_0000;
const HAS_ALPHA: u8 = 0b0001_0000;

/// Encodes a picture.
pub(crate) fn webp(pixels: &DynamicImage, profile: Option<&[u8]>) -> Result<Vec<u8>, ImageError> {
    let failed = |reason: &str| ImageError::Failed(format!("encoding WebP: {reason}"));
    let mut config = WebPConfig::new().map_err(|()| failed("libwebp does not start"))?;
    config.quality = QUALITY;
    config.method = METHOD;
    let has_alpha = pixels.color().has_alpha();
    let layout = if has_alpha { PixelLayout::Rgba } else { PixelLayout::Rgb };
    let encoder = Encoder::new(pixels.as_bytes(), layout, pixels.width(), pixels.height());
    let file = encoder.encode_advanced(&config).map_err(|error| failed(&format!("{error:?}")))?;
    Ok(match profile {
        Some(profile) => with_profile(&file, profile, pixels.width(), pixels.height(), has_alpha),
        None => file.to_vec(),
    })
}

/// Where the chunks of a file begin: behind `RIFF`, the length and `WEBP`.
const CHUNKS: usize = 12;
/// The length of an extended header with the name and length of its chunk.
const EXTENDED: usize = 18;

/// Puts a profile before the pixels of a file. libwebp writes an extended header of its own only for transparency.
fn with_profile(file: &[u8], profile: &[u8], width: u32, height: u32, has_alpha: bool) -> Vec<u8> {
    let chunks = file.get(CHUNKS..).unwrap_or_default();
    let pixels = if chunks.starts_with(b"VP8X") { chunks.get(EXTENDED..).unwrap_or_default() } else { chunks };
    let flags = HAS_PROFILE | if has_alpha { HAS_ALPHA } else { 0 };
    let mut header = vec![flags, 0, 0, 0];
    header.extend_from_slice(&(width - 1).to_le_bytes()[..3]);
    header.extend_from_slice(&(height - 1).to_le_bytes()[..3]);
    let mut body = b"WEBP".to_vec();
    push_chunk(&mut body, *b"VP8X", &header);
    push_chunk(&mut body, *b"ICCP", profile);
    body.extend_from_slice(pixels);
    let mut out = Vec::with_capacity(body.len() + 8);
    push_chunk(&mut out, *b"RIFF", &body);
    out
}

/// A name, a length, the bytes, and one more to make them even.
fn push_chunk(out: &mut Vec<u8>, name: [u8; 4], bytes: &[u8]) {
    out.extend_from_slice(&name);
    out.extend_from_slice(&u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_le_bytes());
    out.extend_from_slice(bytes);
    out.extend_from_slice(&[0][..bytes.len() % 2]);
}
