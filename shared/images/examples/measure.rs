//! Prints what one picture costs: `cargo run --release -p microblog-images --example measure [-- FILE]`. Without a file,
//! it takes a made-up photo of 12 megapixels: soft shapes under the grain of a sensor.

#![allow(clippy::print_stdout, clippy::disallowed_methods, reason = "it measures, and prints what it measured")]

use std::error::Error;
use std::fs;
use std::time::Instant;

use image::codecs::jpeg::JpegEncoder;
use image::{Rgb, RgbImage};
use microblog_images::{Memory, make_variants};

fn main() -> Result<(), Box<dyn Error>> {
    let file = std::env::args_os().nth(1).map_or_else(a_photo, |path| Ok(fs::read(path)?))?;
    let before = Instant::now();
    let made = make_variants(&file, &Memory::default(), &|| true)?;
    let took = before.elapsed();
    println!("{} x {} pixels, {} bytes: {:.2} s", made.width, made.height, file.len(), took.as_secs_f64());
    for variant in made.variants {
        println!("  {} x {}: {} bytes", variant.width, variant.height, variant.webp.len());
    }
    let memory = fs::read_to_string("/proc/self/status")?;
    memory.lines().filter(|line| line.starts_with("VmHWM")).for_each(|line| println!("{line}"));
    Ok(())
}

fn a_photo() -> Result<Vec<u8>, Box<dyn Error>> {
    let mut noise = 7_u32;
    let pixels = RgbImage::from_fn(4000, 3000, |x, y| {
        noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let grain = noise.to_be_bytes()[0] / 16;
        let wave = |length: u32| (x * x / length + y * y / (length / 2 + 1)).to_le_bytes()[1] / 2;
        Rgb([wave(900) + grain, wave(1_300) + grain, wave(2_100) + grain])
    });
    let mut file = Vec::new();
    JpegEncoder::new_with_quality(&mut file, 88).encode_image(&pixels)?;
    Ok(file)
}
