//! Chance that comes out the same everywhere and for ever, whatever version of whatever crate is at hand: SplitMix64.

/// Changing it changes every generated site, and makes old numbers incomparable.
const SEED: u64 = 1;

/// What the streams are for, so that none repeats another.
const POSTS: u64 = 1 << 32;
const PHOTOS: u64 = 2 << 32;

#[derive(Debug, Clone)]
pub(super) struct Dice(u64);

impl Dice {
    pub(super) fn of_post(number: u32) -> Self {
        Self::of(POSTS, number)
    }

    pub(super) fn of_photo(number: u32) -> Self {
        Self::of(PHOTOS, number)
    }

    /// Neighbouring seeds give streams that overlap, unless they are stirred first.
    fn of(purpose: u64, number: u32) -> Self {
        let mut stirred = Self(SEED ^ (purpose | u64::from(number)).wrapping_mul(0xD6E8_FEB8_6659_FD93));
        Self(stirred.next())
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number from 0 up to, but not, 1.
    pub(super) fn share(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Whether something happens that happens in this share of all cases.
    pub(super) fn happens(&mut self, share: f64) -> bool {
        self.share() < share
    }

    /// A number of a range, the end included.
    pub(super) fn between(&mut self, least: u32, most: u32) -> u32 {
        let span = u64::from(most - least) + 1;
        let offset = (u128::from(self.next()) * u128::from(span)) >> 64;
        least + u32::try_from(offset).unwrap_or_default()
    }

    /// One of several, of which there must be at least one.
    pub(super) fn pick<T: Copy>(&mut self, items: &[T]) -> T {
        let last = u32::try_from(items.len().saturating_sub(1)).unwrap_or(u32::MAX);
        items[self.between(0, last) as usize]
    }

    /// How much of something there is, if its logarithm is spread normally.
    pub(super) fn lognormal(&mut self, mean: f64, deviation: f64) -> f64 {
        // The sum of twelve shares is as good as normal, and needs no function that differs between machines.
        let normal = (0..12).map(|_| self.share()).sum::<f64>() - 6.0;
        (mean + deviation * normal).exp()
    }

    /// The rank of one of several things of which the second is half as frequent as the first, the third a third.
    pub(super) fn zipf(&mut self, ranks: u32) -> u32 {
        let weights = (1..=ranks).map(|rank| 1.0 / f64::from(rank));
        let mut left = self.share() * weights.clone().sum::<f64>();
        let passed = weights.take_while(|weight| {
            left -= weight;
            left > 0.0
        });
        u32::try_from(passed.count()).unwrap_or_default().min(ranks - 1)
    }

    pub(super) fn noise(&mut self) -> u8 {
        self.next().to_le_bytes()[0] & 31
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_post_gets_the_same_chance_and_others_another() {
        let first = |number| Dice::of_post(number).next();
        assert_eq!(first(7), first(7));
        assert_ne!(first(7), first(8));
        assert_ne!(first(7), Dice::of_photo(7).next());
    }

    #[test]
    fn ranges_are_used_from_end_to_end() {
        let mut dice = Dice::of_post(0);
        let mut seen = [false; 6];
        (0..200).for_each(|_| seen[dice.between(0, 5) as usize] = true);
        assert_eq!(seen, [true; 6]);
    }

    #[test]
    fn the_first_rank_is_about_twice_as_frequent_as_the_second() {
        let mut dice = Dice::of_post(0);
        let mut counts = [0_u32; 200];
        (0..20_000).for_each(|_| counts[dice.zipf(200) as usize] += 1);
        let ratio = f64::from(counts[0]) / f64::from(counts[1]);
        assert!((1.7..2.3).contains(&ratio), "{ratio}");
        assert!(counts[199] > 0);
    }
}
