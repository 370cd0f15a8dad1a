//! The authorization-code grant: codes that are good once and not for long, and pairs of an access token that
//! lives for an hour and a refresh token that is traded for the next pair. The refresh token that was traded
//! last may be presented again until something of the new pair was used; then it is worth nothing.

use std::time::Duration;

use super::apps::App;
use crate::clock::Moment;

/// How long a code can be exchanged.
const CODE_LIFE: Duration = Duration::from_mins(10);
/// How long an access token lives that is refreshed.
const ACCESS_LIFE: Duration = Duration::from_hours(1);
/// How long its refresh token lives.
const REFRESH_LIFE: Duration = Duration::from_hours(24 * 90);

/// What an app was given by merchants.
#[derive(Debug, Default)]
pub(crate) struct Installs {
    /// Where merchants may be sent back to.
    pub(crate) redirects: Vec<String>,
    codes: Vec<Code>,
    pairs: Vec<Pair>,
}

#[derive(Debug)]
struct Code {
    code: String,
    expires: Moment,
}

#[derive(Debug)]
struct Pair {
    access: String,
    refresh: String,
    refresh_expires: Moment,
    /// The refresh token of the pair that came after it.
    successor: Option<String>,
}

/// A pair as the OAuth address gives it.
#[derive(Debug)]
pub(crate) struct GivenPair {
    pub(crate) access: String,
    pub(crate) refresh: String,
    pub(crate) scope: String,
    pub(crate) expires_in: u64,
    pub(crate) refresh_expires_in: u64,
}

impl App {
    /// A code for a merchant who agreed; none where the address to go back to is not the app's.
    pub(crate) fn authorize(&mut self, redirect: &str, now: Moment) -> Option<String> {
        if !self
            .installs
            .redirects
            .iter()
            .any(|known| known == redirect)
        {
            return None;
        }
        let code = self.random_text();
        self.installs.codes.push(Code {
            code: code.clone(),
            expires: now.after(CODE_LIFE),
        });
        Some(code)
    }

    /// Trades a code, once.
    pub(crate) fn exchange(&mut self, code: &str, now: Moment) -> Option<GivenPair> {
        let codes = &mut self.installs.codes;
        let place = codes.iter().position(|known| known.code == code)?;
        let code = codes.swap_remove(place);
        (now < code.expires).then(|| self.next_pair(now))
    }

    /// Trades a refresh token.
    pub(crate) fn refresh(&mut self, token: &str, now: Moment) -> Option<GivenPair> {
        let pairs = &self.installs.pairs;
        let pair = pairs.iter().find(|pair| pair.refresh == token)?;
        if now >= pair.refresh_expires {
            return None;
        }
        if let Some(successor) = pair.successor.clone() {
            let next = pairs.iter().position(|pair| pair.refresh == successor)?;
            let next = pairs.get(next)?;
            if next.successor.is_some() || self.was_used(&next.access) {
                return None;
            }
            // The response was lost, so the pair that no client received is invalid.
            let lost = next.access.clone();
            self.end_token(&lost);
            self.installs.pairs.retain(|pair| pair.refresh != successor);
        }
        let given = self.next_pair(now);
        let mut pairs = self.installs.pairs.iter_mut();
        if let Some(pair) = pairs.find(|pair| pair.refresh == token) {
            pair.successor = Some(given.refresh.clone());
        }
        Some(given)
    }

    fn next_pair(&mut self, now: Moment) -> GivenPair {
        let grant = self.grant_for(now, ACCESS_LIFE);
        let refresh = format!("shprt_{}", self.random_text());
        self.installs.pairs.push(Pair {
            access: grant.token.clone(),
            refresh: refresh.clone(),
            refresh_expires: now.after(REFRESH_LIFE),
            successor: None,
        });
        GivenPair {
            access: grant.token,
            refresh,
            scope: grant.scope,
            expires_in: ACCESS_LIFE.as_secs(),
            refresh_expires_in: REFRESH_LIFE.as_secs(),
        }
    }

    /// Ends every code and refresh token.
    pub(crate) fn revoke_installs(&mut self) {
        self.installs.codes.clear();
        self.installs.pairs.clear();
    }
}
