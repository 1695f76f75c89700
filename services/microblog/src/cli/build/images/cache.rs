//! What was made of pictures in earlier builds.
//!
//! Three folders: `stamps` tells the content of a file that was not touched since (so that it is not read again), `known`
//! what was made of that content, `files` holds the variants by their content. A cache may be removed at any time; what is
//! missing in it, or of another length, is made again. What it holds is trusted, as whoever can write there could change
//! the pictures themselves.

use std::fs::{self, File, Metadata};
use std::io::{self, Write as _};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use microblog_domain::ContentHash;
use microblog_domain::media::{ImageVariant, stored_file};
use microblog_images::{EDITION, ImageError, Memory, make_variants};
use serde::{Deserialize, Serialize};

/// A folder that remembers pictures.
#[derive(Debug)]
pub(in super::super) struct Cache {
    folder: PathBuf,
    memory: Memory,
}

/// What is known of a picture.
#[derive(Debug)]
pub(super) struct Known {
    pub(super) width: u32,
    pub(super) height: u32,
    pub(super) variants: Vec<ImageVariant>,
}

/// The same as it is written down.
#[derive(Debug, Serialize, Deserialize)]
enum Record {
    Made {
        width: u32,
        height: u32,
        variants: Vec<VariantRecord>,
    },
    /// It is shown as it is.
    Nothing {
        reason: String,
    },
}

#[derive(Debug, Serialize, Deserialize)]
struct VariantRecord {
    width: u32,
    height: u32,
    hash: ContentHash,
    size: u64,
}

/// A state of a file. Programs can set when its content changed, but not `changed`, when anything of it did.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Stamp {
    inode: u64,
    bytes: u64,
    changed: (i64, i64),
    content: ContentHash,
}

impl Cache {
    /// The cache in this folder, which is made.
    pub(in super::super) fn open(folder: &Path) -> anyhow::Result<Self> {
        let cache = Self { folder: folder.join(format!("images-{EDITION}")), memory: Memory::default() };
        fs::create_dir_all(cache.files()).with_context(|| {
            format!(
                "the cache folder {} can not be made; choose another --cache, or give --no-images",
                folder.display()
            )
        })?;
        Ok(cache)
    }

    fn files(&self) -> PathBuf {
        self.folder.join("files")
    }

    /// Where the variant with this content lies.
    pub(super) fn file(&self, hash: &ContentHash) -> PathBuf {
        self.files().join(stored_file(hash))
    }

    /// The variants of a picture, made now unless they were made before. Nothing if the picture is shown as it is on
    /// purpose.
    pub(super) fn variants_of(&self, source: &Path) -> anyhow::Result<Option<Known>> {
        let metadata = fs::metadata(source)?;
        let stamp = self.folder.join("stamps").join(stored_file(&ContentHash::of(source.as_os_str().as_bytes())));
        let remembered: Option<Stamp> = read(&stamp).filter(|stamp: &Stamp| stamp.is_of(&metadata));
        if let Some(record) = remembered.and_then(|stamp| self.record(&stamp.content)) {
            return record.known();
        }
        let bytes = fs::read(source)?;
        let content = ContentHash::of(&bytes);
        let record = match self.record(&content) {
            Some(record) => record,
            None => self.make(&bytes, &content)?,
        };
        self.write(&stamp, &json(&Stamp::new(&metadata, content))?)?;
        record.known()
    }

    /// What was made of this content, if all of it is still there.
    fn record(&self, content: &ContentHash) -> Option<Record> {
        let record: Record = read(&self.known(content))?;
        let is_whole = |variant: &VariantRecord| {
            fs::metadata(self.file(&variant.hash)).is_ok_and(|metadata| metadata.len() == variant.size)
        };
        match &record {
            Record::Made { variants, .. } if !variants.iter().all(is_whole) => None,
            _ => Some(record),
        }
    }

    fn known(&self, content: &ContentHash) -> PathBuf {
        self.folder.join("known").join(stored_file(content))
    }

    fn make(&self, bytes: &[u8], content: &ContentHash) -> anyhow::Result<Record> {
        let record = match make_variants(bytes, &self.memory, &|| true) {
            Ok(made) => {
                let mut variants = Vec::with_capacity(made.variants.len());
                for variant in made.variants {
                    let (hash, size) = (ContentHash::of(&variant.webp), variant.webp.len() as u64);
                    self.write(&self.file(&hash), &variant.webp)?;
                    variants.push(VariantRecord { width: variant.width, height: variant.height, hash, size });
                }
                Record::Made { width: made.width, height: made.height, variants }
            }
            Err(ImageError::Animated | ImageError::UnknownFormat) => Record::Nothing { reason: String::new() },
            Err(error) => Record::Nothing { reason: error.to_string() },
        };
        self.write(&self.known(content), &json(&record)?)?;
        Ok(record)
    }

    /// Writes a file as a whole: builds may run side by side.
    fn write(&self, path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
        let write = || -> io::Result<()> {
            let folder = path.parent().unwrap_or(&self.folder);
            fs::create_dir_all(folder)?;
            let mut file = tempfile::NamedTempFile::new_in(folder)?;
            file.write_all(bytes)?;
            file.persist(path).map(drop).map_err(|error| error.error)
        };
        write().with_context(|| format!("{} can not be written; choose another --cache", path.display()))
    }
}

impl Stamp {
    fn new(metadata: &Metadata, content: ContentHash) -> Self {
        Self {
            inode: metadata.ino(),
            bytes: metadata.len(),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
            content,
        }
    }

    fn is_of(&self, metadata: &Metadata) -> bool {
        *self == Self::new(metadata, self.content)
    }
}

impl Record {
    /// What pages need of it. A picture that could not be made smaller is told anew with each build.
    fn known(self) -> anyhow::Result<Option<Known>> {
        match self {
            Self::Nothing { reason } if reason.is_empty() => Ok(None),
            Self::Nothing { reason } => anyhow::bail!(reason),
            Self::Made { width, height, variants } => {
                let variants = variants.into_iter().map(VariantRecord::variant).collect();
                Ok(Some(Known { width, height, variants }))
            }
        }
    }
}

impl VariantRecord {
    fn variant(self) -> ImageVariant {
        let Self { width, height, hash, size } = self;
        ImageVariant { width, height, hash, size }
    }
}

fn read<T: for<'de> Deserialize<'de>>(path: &Path) -> Option<T> {
    serde_json::from_reader(io::BufReader::new(File::open(path).ok()?)).ok()
}

fn json(value: &impl Serialize) -> anyhow::Result<Vec<u8>> {
    Ok(serde_json::to_vec(value)?)
}
