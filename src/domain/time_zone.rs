//! Names of time zones. IANA renames zones (`Europe/Kiev` is now `Europe/Kyiv`), while shops keep
//! the names they were set up with. A system's zone data may lack the old names (Debian 13 without
//! `tzdata-legacy`) or the newest ones.

use icu_time::zone::TimeZone;
use icu_time::zone::iana::IanaParserExtended;

/// The name itself, the current IANA name, and all other names of the same zone.
#[must_use]
pub fn names_of(name: &str) -> Vec<String> {
    let mut names = vec![name.to_owned()];
    let parser = IanaParserExtended::new();
    let zone = parser.parse(name);
    if zone.time_zone == TimeZone::UNKNOWN {
        return names;
    }
    let others = parser
        .iter_all()
        .filter(|other| other.time_zone == zone.time_zone);
    let others = others.map(|other| other.normalized);
    for other in std::iter::once(zone.canonical).chain(others) {
        if !names.iter().any(|known| known == other) {
            names.push(other.to_owned());
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::names_of;

    #[test]
    fn a_name_that_was_given_up_leads_to_the_one_of_today() {
        assert_eq!(names_of("Asia/Rangoon"), ["Asia/Rangoon", "Asia/Yangon"]);
        assert_eq!(
            names_of("US/Pacific-New"),
            ["US/Pacific-New", "America/Los_Angeles", "US/Pacific"]
        );
    }

    #[test]
    fn the_name_of_today_leads_to_older_ones() {
        let names = names_of("Europe/Kyiv");
        assert_eq!(names.first().map(String::as_str), Some("Europe/Kyiv"));
        assert!(names.contains(&"Europe/Kiev".to_owned()));
    }

    #[test]
    fn what_is_no_zone_has_no_other_name() {
        assert_eq!(names_of("Nowhere/Land"), ["Nowhere/Land"]);
        assert_eq!(names_of(""), [""]);
    }
}
