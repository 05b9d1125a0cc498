//! Time is an input: milliseconds since 1970, handed in by the host and lifted to the last logged time.

use alloc::format;
use alloc::string::String;

/// `at_ms` as `YYYY-MM-DD HH:MM:SS` in UTC (the civil calendar from days: Hinnant's algorithm).
pub fn utc(at_ms: u64) -> String {
    let seconds = at_ms / 1_000;
    let (days, second) = (seconds / 86_400, seconds % 86_400);
    let shifted = days + 719_468;
    let era = shifted / 146_097;
    let day_of_era = shifted % 146_097;
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_shifted + 2) / 5 + 1;
    let month = if month_shifted < 10 { month_shifted + 3 } else { month_shifted - 9 };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02} {:02}:{:02}:{:02}", second / 3_600, second / 60 % 60, second % 60)
}

/// `at_ms` as `HH:MM:SS` in UTC, with the date if it is not that of `now`.
pub fn clock(at_ms: u64, now: u64) -> String {
    let whole = utc(at_ms);
    let same_day = at_ms / 86_400_000 == now / 86_400_000;
    let (_, time) = whole.rsplit_once(' ').unwrap_or(("", &whole));
    if same_day {
        time.into()
    } else {
        whole
    }
}

/// A duration for people: `840 ms`, `12.3 s`, `4 min 05 s`.
pub fn duration(ms: u64) -> String {
    match ms {
        0..=999 => format!("{ms} ms"),
        1_000..=59_999 => format!("{}.{} s", ms / 1_000, ms % 1_000 / 100),
        _ => format!("{} min {:02} s", ms / 60_000, ms % 60_000 / 1_000),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_dates() {
        assert_eq!(utc(0), "1970-01-01 00:00:00");
        assert_eq!(utc(951_782_400_000), "2000-02-29 00:00:00");
        assert_eq!(utc(1_795_478_399_999), "2026-11-23 23:59:59");
        assert_eq!(duration(1_299), "1.2 s");
    }
}
