use std::fmt;

use serde::{Deserialize, Serialize};

/// An amount in whole units of the salon's currency (YClients prices services in whole roubles;
/// fractions are rounded half up when read).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Default)]
#[serde(transparent)]
pub struct Money(pub i64);

impl fmt::Display for Money {
    /// Thousands apart by a no-break space, without the currency: `1 800`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = self.0.unsigned_abs().to_string();
        if self.0 < 0 {
            f.write_str("-")?;
        }
        for (i, digit) in digits.chars().enumerate() {
            if i > 0 && (digits.len() - i).is_multiple_of(3) {
                f.write_str("\u{a0}")?;
            }
            write!(f, "{digit}")?;
        }
        Ok(())
    }
}

/// From–to price of a service; both ends equal where it is fixed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, Default)]
pub struct PriceRange {
    /// The lowest price.
    pub min: Money,
    /// The highest price, never below `min`.
    pub max: Money,
}

impl PriceRange {
    /// A range with its ends in order; YClients sends `price_max: 0` for "no upper end".
    pub fn new(min: Money, max: Money) -> Self {
        Self { min, max: max.max(min) }
    }

    /// The price of both together.
    pub fn plus(self, other: Self) -> Self {
        Self { min: Money(self.min.0 + other.min.0), max: Money(self.max.0 + other.max.0) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_stand_apart() {
        for (amount, text) in [(0, "0"), (900, "900"), (1800, "1\u{a0}800"), (12_345_678, "12\u{a0}345\u{a0}678"), (-1500, "-1\u{a0}500")] {
            assert_eq!(Money(amount).to_string(), text);
        }
    }
}
