//! Invented customers.

use crate::clock::Moment;
use crate::random::Random;
use crate::store::Customer;

const FIRST: [&str; 24] = [
    "Ada", "Amir", "Bea", "Carlos", "Chiara", "Dev", "Elif", "Emeka", "Freya", "Grace", "Hana",
    "Ivo", "Jonas", "Kavya", "Leila", "Luca", "Mei", "Nadia", "Omar", "Priya", "Quentin", "Rosa",
    "Sven", "Tomás",
];
const LAST: [&str; 24] = [
    "Abe",
    "Banerjee",
    "Costa",
    "Dahl",
    "Eze",
    "Fischer",
    "Greco",
    "Haddad",
    "Ito",
    "Jensen",
    "Kaya",
    "Lindqvist",
    "Moreau",
    "Novak",
    "O'Neill",
    "Patel",
    "Quispe",
    "Rossi",
    "Sato",
    "Tanaka",
    "Usman",
    "Vega",
    "Weber",
    "Young",
];
const TAGS: [&str; 4] = ["newsletter", "vip", "wholesale", "loyalty"];

/// A customer who has no e-mail address in one of fifty cases and sometimes a tag.
pub(crate) fn customer(random: &mut Random, id: u64, number: usize, at: Moment) -> Customer {
    let first = random.pick(&FIRST).copied().unwrap_or_default();
    let last = random.pick(&LAST).copied().unwrap_or_default();
    let address = format!("{first}.{last}.{number}@example.com")
        .to_lowercase()
        .replace('\'', "");
    let has_email = !random.chance(20);
    let tag = random
        .chance(150)
        .then(|| random.pick(&TAGS).copied().unwrap_or_default());
    Customer {
        id,
        display_name: format!("{first} {last}").into(),
        email: has_email.then(|| address.into()),
        created_at: at,
        updated_at: at,
        tags: tag.into_iter().map(Into::into).collect(),
        deleted: false,
    }
}
