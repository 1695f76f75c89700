//! Real pictures through the whole way, and files that want to do harm.

use std::io::Cursor;
use std::sync::atomic::{AtomicBool, Ordering};

use image::codecs::jpeg::JpegEncoder;
use image::{ImageDecoder as _, ImageEncoder as _, ImageFormat, ImageReader, Rgb, RgbImage, Rgba, RgbaImage};

use super::*;

/// A picture whose left upper quarter is red and which is hard to compress.
fn photo(width: u32, height: u32) -> RgbImage {
    let mut noise = 7_u32;
    RgbImage::from_fn(width, height, |x, y| {
        noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let grain = noise.to_be_bytes()[0] / 4;
        if x < width / 2 && y < height / 2 { Rgb([200 + grain / 2, grain, grain]) } else { Rgb([grain, grain, 200]) }
    })
}

fn jpeg_with(picture: &RgbImage, change: impl FnOnce(&mut JpegEncoder<&mut Vec<u8>>)) -> Vec<u8> {
    let mut file = Vec::new();
    let mut encoder = JpegEncoder::new_with_quality(&mut file, 95);
    change(&mut encoder);
    encoder.encode_image(picture).unwrap();
    file
}

fn jpeg(picture: &RgbImage) -> Vec<u8> {
    jpeg_with(picture, |_| {})
}

fn png(picture: &impl Fn(&mut Cursor<Vec<u8>>)) -> Vec<u8> {
    let mut file = Cursor::new(Vec::new());
    picture(&mut file);
    file.into_inner()
}

/// Exif that says nothing but an orientation.
fn exif(orientation: u8) -> Vec<u8> {
    let mut bytes = b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0".to_vec();
    bytes.extend_from_slice(&[orientation, 0, 0, 0, 0, 0, 0]);
    bytes
}

fn made(file: &[u8]) -> Made {
    make_variants(file, &Memory::default(), &|| true).unwrap()
}

fn decoded(variant: &Variant) -> RgbaImage {
    image::load_from_memory_with_format(&variant.webp, ImageFormat::WebP).unwrap().into_rgba8()
}

#[test]
fn variants_decode_and_have_the_documented_widths() {
    let made = made(&jpeg(&photo(2400, 1200)));
    assert_eq!((made.width, made.height), (2400, 1200));
    let sizes: Vec<_> = made.variants.iter().map(|variant| (variant.width, variant.height)).collect();
    assert_eq!(sizes, [(480, 240), (960, 480), (1600, 800)]);
    for variant in &made.variants {
        let picture = decoded(variant);
        assert_eq!(picture.dimensions(), (variant.width, variant.height));
        let Rgba([red, _, blue, alpha]) = *picture.get_pixel(variant.width / 4, variant.height / 4);
        assert!(red > 180 && blue < 90 && alpha == 255, "the left upper quarter is red, not {red} {blue} {alpha}");
    }
}

#[test]
fn a_picture_of_middling_width_gets_a_webp_of_its_full_size() {
    let widths: Vec<_> = made(&jpeg(&photo(1000, 600))).variants.iter().map(|variant| variant.width).collect();
    assert_eq!(widths, [480, 1000]);
}

#[test]
fn a_turned_photo_stands_upright() {
    let file = jpeg_with(&photo(600, 300), |encoder| encoder.set_exif_metadata(exif(6)).unwrap());
    assert_eq!(measure(Cursor::new(&file), ImageFormat::Jpeg).unwrap(), (300, 600));
    let made = made(&file);
    assert_eq!((made.width, made.height), (300, 600));
    let upright = decoded(&made.variants[0]);
    let Rgba([red, ..]) = *upright.get_pixel(225, 150);
    let Rgba([other, ..]) = *upright.get_pixel(75, 150);
    assert!(
        red > 180 && other < 90,
        "a quarter turn clockwise puts the left upper quarter to the right: {red} {other}"
    );
}

#[test]
fn transparency_stays_and_an_opaque_picture_has_none() {
    let glass = RgbaImage::from_fn(800, 400, |x, y| {
        Rgba([x.to_le_bytes()[0], y.to_le_bytes()[0], (x * y).to_le_bytes()[0], if x < 400 { 0 } else { 255 }])
    });
    let file = png(&|out| glass.write_to(out, ImageFormat::Png).unwrap());
    let picture = decoded(&made(&file).variants[0]);
    assert_eq!((picture.get_pixel(20, 20).0[3], picture.get_pixel(460, 20).0[3]), (0, 255));

    let opaque = RgbaImage::from_fn(800, 400, |x, y| {
        Rgba([x.to_le_bytes()[0], y.to_le_bytes()[0], (x * y).to_le_bytes()[0], 255])
    });
    let file = png(&|out| opaque.write_to(out, ImageFormat::Png).unwrap());
    let variant = &made(&file).variants[0];
    assert!(!image::load_from_memory(&variant.webp).unwrap().color().has_alpha());
}

#[test]
fn metadata_stays_behind_and_wide_colours_stay_right() {
    let mut wide = vec![0; 500];
    wide[16..20].copy_from_slice(b"RGB ");
    wide[100..110].copy_from_slice(b"Display P3");
    let file = jpeg_with(&photo(640, 480), |encoder| {
        encoder.set_exif_metadata(exif(1)).unwrap();
        encoder.set_icc_profile(wide.clone()).unwrap();
    });
    for variant in made(&file).variants {
        let reader = ImageReader::with_format(Cursor::new(&variant.webp), ImageFormat::WebP);
        let mut decoder = reader.into_decoder().unwrap();
        assert_eq!(decoder.exif_metadata().unwrap(), None);
        assert_eq!(decoder.icc_profile().unwrap(), Some(wide.clone()));
        assert_eq!(decoded(&variant).dimensions(), (variant.width, variant.height));
    }
}

#[test]
fn what_saves_nothing_is_not_made() {
    let flat = RgbImage::from_pixel(1200, 1200, Rgb([3, 3, 3]));
    let file = png(&|out| flat.write_to(out, ImageFormat::Png).unwrap());
    for variant in made(&file).variants {
        assert!(variant.webp.len() < file.len());
    }
    assert_eq!(made(&jpeg(&photo(150, 1000))).variants, []);
}

/// A picture that says it is larger than it is: the size stands behind the first 16 bytes, its checksum behind 29.
#[test]
fn a_decompression_bomb_is_refused_before_it_takes_memory() {
    let mut bomb = png(&|out| photo(1, 1).write_to(out, ImageFormat::Png).unwrap());
    bomb[16..24].copy_from_slice(&[0, 0, 0x4e, 0x20, 0, 0, 0x4e, 0x20]);
    let checksum = crc(&bomb[12..29]);
    bomb[29..33].copy_from_slice(&checksum.to_be_bytes());
    let refused = make_variants(&bomb, &Memory::default(), &|| true).unwrap_err();
    assert!(matches!(refused, ImageError::TooLarge { width: 20_000, height: 20_000 }), "{refused}");
}

fn crc(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0_u32, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| if crc & 1 == 1 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 })
    })
}

#[test]
fn whatever_is_cut_off_or_overwritten_is_an_error_or_a_picture_and_never_a_crash() {
    let whole = [jpeg(&photo(240, 210)), png(&|out| photo(320, 240).write_to(out, ImageFormat::Png).unwrap())];
    for file in whole {
        assert!(matches!(
            make_variants(&file[..file.len() / 2], &Memory::default(), &|| true),
            Err(ImageError::Broken(_)) | Ok(_)
        ));
        for at in (0..file.len()).step_by(file.len() / 20) {
            let _ = make_variants(&file[..at], &Memory::default(), &|| true);
            let mut changed = file.clone();
            changed[at] ^= 0x5a;
            let _ = make_variants(&changed, &Memory::default(), &|| true);
        }
    }
    let truncated = png(&|out| photo(320, 240).write_to(out, ImageFormat::Png).unwrap());
    let refused = make_variants(&truncated[..5_000], &Memory::default(), &|| true).unwrap_err();
    assert!(matches!(refused, ImageError::Broken(_)), "{refused}");
}

#[test]
fn what_moves_and_what_is_no_picture_is_left_as_it_is() {
    for file in [&b"GIF89a\x01\0\x01\0\0\0\0;"[..], b"<svg xmlns=\"http://www.w3.org/2000/svg\"/>", b""] {
        assert!(matches!(make_variants(file, &Memory::default(), &|| true), Err(ImageError::UnknownFormat)));
    }
}

#[test]
fn it_stops_when_it_is_told_to() {
    let file = jpeg(&photo(1200, 900));
    assert!(matches!(make_variants(&file, &Memory::default(), &|| false), Err(ImageError::Stopped)));
}

#[test]
fn the_same_picture_gives_the_same_bytes() {
    let file = jpeg(&photo(700, 500));
    assert_eq!(made(&file), made(&file));
}

#[test]
fn a_picture_too_tall_for_webp_gets_the_variants_that_fit() {
    let made_of = |width| made(&jpeg(&photo(width, 17_000)));
    let sizes = |made: &Made| made.variants.iter().map(|variant| (variant.width, variant.height)).collect::<Vec<_>>();
    let tall = made_of(540);
    assert_eq!(((tall.width, tall.height), sizes(&tall)), ((540, 17_000), vec![(480, 15_111)]));
    let narrow = made_of(210);
    assert_eq!(((narrow.width, narrow.height), sizes(&narrow)), ((210, 17_000), vec![]));
}

/// The headers of a JPEG file, with another marker of its frame and another size.
fn jpeg_that_says(marker: u8, side: u16) -> Vec<u8> {
    let mut file = jpeg(&photo(16, 16));
    let frame = file.windows(2).position(|bytes| bytes == [0xff, 0xc0]).unwrap();
    file[frame + 1] = marker;
    file[frame + 5..frame + 7].copy_from_slice(&side.to_be_bytes());
    file[frame + 7..frame + 9].copy_from_slice(&side.to_be_bytes());
    file
}

#[test]
fn coefficients_that_wait_for_later_scans_are_counted() {
    let (whole, bit_by_bit) = (jpeg_that_says(0xc0, 4_000), jpeg_that_says(0xc2, 4_000));
    let needs = |file| decode::open(file).unwrap().needs;
    assert_eq!((needs(&whole), needs(&bit_by_bit)), (128_000_000, 192_000_000));
    assert_eq!(decode::open(&jpeg_that_says(0xc0, 8_000)).unwrap().needs, MAX_BYTES);
    let refused = make_variants(&jpeg_that_says(0xc2, 8_000), &Memory::default(), &|| true).unwrap_err();
    assert!(matches!(refused, ImageError::TooLarge { width: 8_000, height: 8_000 }), "{refused}");
}

#[test]
fn a_picture_waits_for_the_memory_of_others_unless_it_is_stopped() {
    let file = jpeg(&photo(600, 300));
    let memory = Memory::of(decode::open(&file).unwrap().needs);
    let other = memory.take(1, &|| true).unwrap();
    assert!(matches!(make_variants(&file, &memory, &|| false), Err(ImageError::Stopped)));
    let waits = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let making = scope.spawn(|| {
            let go_on = || {
                waits.store(true, Ordering::Relaxed);
                true
            };
            make_variants(&file, &memory, &go_on)
        });
        while !waits.load(Ordering::Relaxed) {
            assert!(!making.is_finished(), "it took memory that another one has");
            std::thread::yield_now();
        }
        drop(other);
        assert_eq!(making.join().unwrap().unwrap(), made(&file));
    });
    assert!(memory.take(decode::open(&file).unwrap().needs, &|| false).is_some(), "it gave all of it back");
}
