//! What goes wrong on the wire, scripted one by one or at a rate.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use crate::random::Random;

/// How a request goes wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "fault", rename_all = "snake_case")]
pub enum Fault {
    /// 429 with a `Retry-After` in seconds, which may be fractional.
    TooManyRequests {
        /// The header's text.
        retry_after: String,
    },
    /// A 5xx answer with an HTML page.
    ServerError {
        /// The status: 500, 502, 503, 504, 520.
        status: u16,
    },
    /// Any status with a JSON body whose `errors` is a string: 402, 403, 404, 423, 430.
    Status {
        /// The status.
        status: u16,
    },
    /// The connection is closed without an answer.
    DropConnection,
    /// The request is carried out, but its answer is lost with the connection.
    LoseAnswer,
    /// The answer takes longer.
    Slow {
        /// By how many milliseconds.
        millis: u64,
    },
    /// The answer ends after half of its body.
    TruncateBody,
    /// THROTTLED, whatever the bucket holds.
    Throttled,
    /// `INTERNAL_SERVER_ERROR` with a request id.
    InternalServerError,
    /// 401, as for a revoked token.
    Unauthorized,
    /// `SHOP_INACTIVE`.
    ShopInactive,
    /// Another API version serves the request, as the header says.
    OtherVersion {
        /// The version.
        version: String,
    },
}

/// A fault for coming requests.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FaultScript {
    /// Which operation it meets; any when left out.
    #[serde(default)]
    pub operation: Option<String>,
    /// How many matching requests pass before.
    #[serde(default)]
    pub after: u32,
    /// How many matching requests it meets.
    #[serde(default = "once")]
    pub times: u32,
    /// What goes wrong.
    #[serde(flatten)]
    pub fault: Fault,
}

fn once() -> u32 {
    1
}

impl From<Fault> for FaultScript {
    fn from(fault: Fault) -> Self {
        Self {
            operation: None,
            after: 0,
            times: 1,
            fault,
        }
    }
}

/// Faults at a rate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FaultRate {
    /// How many of a hundred requests go wrong.
    pub percent: u8,
    /// Which faults, one of them at a time.
    pub faults: Vec<Fault>,
    /// What decides: the same seed, the same faults.
    #[serde(default)]
    pub seed: u64,
}

/// The faults of a shop.
#[derive(Debug, Default)]
pub(crate) struct FaultBook {
    scripts: VecDeque<FaultScript>,
    rate: Option<(FaultRate, Random)>,
}

impl FaultBook {
    pub(crate) fn push(&mut self, script: FaultScript) {
        self.scripts.push_back(script);
    }

    pub(crate) fn set_rate(&mut self, rate: Option<FaultRate>) {
        self.rate = rate.map(|rate| {
            let random = Random::new(rate.seed);
            (rate, random)
        });
    }

    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }

    /// What happens to a request: the first script that matches, else the rate.
    pub(crate) fn next(&mut self, operation: &str) -> Option<Fault> {
        let matches = |script: &FaultScript| {
            script
                .operation
                .as_deref()
                .is_none_or(|wanted| wanted == operation)
        };
        if let Some(place) = self.scripts.iter().position(matches)
            && let Some(script) = self.scripts.get_mut(place)
        {
            if script.after > 0 {
                script.after -= 1;
                return None;
            }
            script.times = script.times.saturating_sub(1);
            let (fault, done) = (script.fault.clone(), script.times == 0);
            if done {
                self.scripts.remove(place);
            }
            return Some(fault);
        }
        let (rate, random) = self.rate.as_mut()?;
        if random.below(100) >= u64::from(rate.percent) {
            return None;
        }
        let chosen = random.place(rate.faults.len());
        rate.faults.get(chosen).cloned()
    }
}
