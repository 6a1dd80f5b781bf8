//! Invented users: contracts of every interval and kind of amount among shops and cash.

use analysis::calendar::{BusinessCalendar, Shift};
use analysis::contracts::Interval;
use chrono::{Datelike, Days, Months, NaiveDate, TimeDelta};
use domain::{Transaction, UserType};

use super::random::Random;
use super::sample::{Sample, Truth, account, booking};
use super::{habit, party};

/// Intervals that are generated.
pub const INTERVALS: [Interval; 9] = [
    Interval::Weekly,
    Interval::Biweekly,
    Interval::FourWeekly,
    Interval::SemiMonthly,
    Interval::Monthly,
    Interval::BiMonthly,
    Interval::Quarterly,
    Interval::SemiAnnually,
    Interval::Annually,
];
/// Contracts of each interval that one user has.
const SERIES_OF_INTERVAL: usize = 2;
/// Shops that one user goes to.
const HABITS: usize = 12;
/// A due date goes unpaid in so many of a thousand cases.
const MISSED_PERMILLE: i64 = 100;

/// How amounts develop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Course {
    Fixed,
    Bills,
    Trend,
    Steps,
}

/// When payments fall due.
#[derive(Debug, Clone, Copy)]
enum Due {
    /// So many days apart.
    Every(u64),
    /// So many months apart, on the day of the first one.
    Months(u32),
    /// On two days of each month.
    Twice(u32, u32),
    /// So many months apart, on a bank day counted from the month's end.
    BankDayFromEnd(u32, u32),
}

/// A contract to be paid.
struct Plan {
    interval: Interval,
    due: Due,
    first: NaiveDate,
    shift: Shift,
    course: Course,
    minor: i64,
    /// No payments from then on.
    end: Option<NaiveDate>,
    /// Payments come from so many days after the due date to so many.
    drift: (i64, i64),
}

/// What the generator works with.
pub struct Generator {
    calendar: BusinessCalendar,
}

impl Default for Generator {
    fn default() -> Self {
        Self {
            calendar: BusinessCalendar::german(None),
        }
    }
}

impl Generator {
    /// The user with a number; each is different, and the same in every run.
    pub fn user(&self, number: u64) -> Sample {
        let mut random = Random::new(number.wrapping_mul(0x2545_f491_4f6c_dd1d));
        let start = NaiveDate::from_ymd_opt(2021, 1, 1).unwrap_or_default();
        let start = start + Days::new(random.between(0, 700).unsigned_abs());
        let as_of = start + Days::new(random.between(760, 1100).unsigned_abs());
        let mut sample = Sample {
            user: format!("g{number}"),
            user_type: UserType::Person,
            accounts: vec![account("giro")],
            as_of,
            truth: Vec::new(),
            ignored: std::collections::BTreeSet::new(),
            habits: Vec::new(),
            cash: std::collections::BTreeSet::new(),
        };
        let mut series = 0;
        for interval in INTERVALS {
            for _ in 0..SERIES_OF_INTERVAL {
                self.contracts(&mut sample, &mut random, (start, interval), &mut series);
            }
        }
        for number in 0..HABITS {
            habit::shop(&mut sample, &mut random, start, number);
        }
        habit::cash(&mut sample, &mut random, start);
        sample
    }

    /// A contract, and in one of eight cases a second one with the same partner.
    fn contracts(
        &self,
        sample: &mut Sample,
        random: &mut Random,
        (start, interval): (NaiveDate, Interval),
        series: &mut usize,
    ) {
        let plan = Self::plan(random, start, sample.as_of, interval);
        let party = party::Party::new(random, *series, plan.minor > 0);
        let twin = random.chance(125).then(|| {
            let mut twin = Plan {
                course: Course::Fixed,
                minor: plan.minor.saturating_mul(random.between(140, 400)) / 100,
                ..Self::plan(random, start, sample.as_of, interval)
            };
            if random.chance(500) {
                (twin.first, twin.due, twin.shift) = (plan.first, plan.due, plan.shift);
            }
            twin
        });
        let twin = twin.map(|plan| (plan, party.twin(random)));
        for (plan, party) in [(plan, party)].into_iter().chain(twin) {
            self.pay(sample, random, (&plan, &party), *series);
            *series += 1;
        }
    }

    fn plan(random: &mut Random, start: NaiveDate, as_of: NaiveDate, interval: Interval) -> Plan {
        let is_income = random.chance(150);
        let due = due(random, interval);
        let within = u64::try_from(interval.duration_days()).unwrap_or(30);
        let offset = random.between(0, i64::try_from(within).unwrap_or(30) - 1);
        let first = start + Days::new(offset.unsigned_abs());
        let first = match due {
            Due::Months(_) if random.chance(200) => first.with_day(1).unwrap_or(first),
            Due::Months(_) | Due::Every(_) | Due::Twice(..) | Due::BankDayFromEnd(..) => first,
        };
        let minor = random.between(300, 90_000).max(300);
        let days = (as_of - start).num_days();
        let end = (random.chance(120) && interval <= Interval::Quarterly)
            .then(|| start + Days::new(random.between(days / 2, days - 60).unsigned_abs()));
        Plan {
            interval,
            due,
            first,
            shift: if random.chance(150) {
                Shift::None
            } else if is_income {
                Shift::Preceding
            } else {
                Shift::Following
            },
            course: random.pick(&[Course::Fixed, Course::Bills, Course::Trend, Course::Steps]),
            minor: if is_income { minor * 4 } else { -minor },
            end,
            drift: drift(random, interval),
        }
    }

    fn pay(
        &self,
        sample: &mut Sample,
        random: &mut Random,
        (plan, party): (&Plan, &party::Party),
        series: usize,
    ) {
        let dates = self.dates(random, plan, sample.as_of);
        let mut truth = Truth {
            label: format!("{:?}", plan.course),
            interval: plan.interval,
            ids: std::collections::BTreeSet::new(),
            optional_ids: std::collections::BTreeSet::new(),
            is_optional: false,
            next: None,
            is_active: None,
        };
        let mut step = Steps::new(random, plan);
        let change = party.changes_at(random, dates.len());
        let mut paid: Vec<Transaction> = Vec::new();
        for (at, date) in dates.iter().enumerate() {
            let minor = step.next(random);
            let is_ended = plan.end.is_some_and(|end| *date > end);
            if *date > sample.as_of {
                truth.next = (!is_ended).then_some(*date);
                break;
            }
            if is_ended || random.chance(MISSED_PERMILLE) {
                continue;
            }
            let id = format!("s{series}-{at}");
            truth.ids.insert(id.clone());
            let mut transaction = booking(&id, *date, minor);
            party.write(
                &mut transaction,
                random,
                change.is_some_and(|change| at >= change),
            );
            paid.push(transaction);
        }
        // What the generator leaves out at the end looks like the end of the contract.
        let newest = paid.last().map(|transaction| transaction.booking_date);
        truth.is_active = newest.and_then(|newest| state(&dates, newest, sample.as_of));
        let before = dates.iter().rev().find(|date| **date <= sample.as_of);
        if newest != before.copied() {
            truth.next = None;
        }
        let least = if plan.interval == Interval::Annually {
            2
        } else {
            3
        };
        // Two annual payments two years apart show no year.
        let span = newest.zip(paid.first().map(|first| first.booking_date));
        let is_torn = plan.interval == Interval::Annually
            && truth.ids.len() == 2
            && span.is_some_and(|(last, first)| (last - first).num_days() > 400);
        truth.is_optional = truth.ids.len() < least || is_torn;
        sample.accounts[0].transactions.extend(paid);
        sample.truth.push(truth);
    }

    /// The days on which payments are booked, up to the first one after the user's newest day.
    fn dates(&self, random: &mut Random, plan: &Plan, as_of: NaiveDate) -> Vec<NaiveDate> {
        let mut dates: Vec<NaiveDate> = Vec::new();
        for number in 0.. {
            let due = self.due(plan, number);
            let due = due + TimeDelta::days(random.between(plan.drift.0, plan.drift.1));
            let booked = self.calendar.shifted(due.num_days_from_ce(), plan.shift);
            let booked = NaiveDate::from_num_days_from_ce_opt(booked).unwrap_or(due);
            dates.push(booked);
            if booked > as_of {
                break;
            }
        }
        dates
    }

    fn due(&self, plan: &Plan, number: u32) -> NaiveDate {
        match plan.due {
            Due::Every(days) => plan.first + Days::new(days * u64::from(number)),
            Due::Months(months) => plan.first + Months::new(months * number),
            Due::Twice(first, second) => {
                let month = plan.first.with_day(1).unwrap_or(plan.first) + Months::new(number / 2);
                let day = if number.is_multiple_of(2) {
                    first
                } else {
                    second
                };
                let last = last_of_month(month);
                month.with_day(day).unwrap_or(last)
            }
            Due::BankDayFromEnd(months, nth) => {
                let last = last_of_month(plan.first + Months::new(months * number));
                let day = self.calendar.nth_until(last.num_days_from_ce(), nth);
                NaiveDate::from_num_days_from_ce_opt(day).unwrap_or(last)
            }
        }
    }
}

/// Whether the due date after the newest payment is still ahead; unknown when it is about today.
fn state(dates: &[NaiveDate], newest: NaiveDate, as_of: NaiveDate) -> Option<bool> {
    let next = dates.iter().find(|date| **date > newest)?;
    let days = (*next - as_of).num_days();
    (days.abs() > 7).then_some(days > 0)
}

fn last_of_month(day: NaiveDate) -> NaiveDate {
    let first = day.with_day(1).unwrap_or(day);
    first + Months::new(1) - Days::new(1)
}

/// How unpunctual payments are: a third of long intervals by up to two days.
fn drift(random: &mut Random, interval: Interval) -> (i64, i64) {
    let drift = random.pick(&[(0, 0), (0, 0), (0, 0), (0, 0), (0, 1), (-1, 1), (-1, 2)]);
    if interval >= Interval::Monthly {
        drift
    } else {
        (0, drift.1.min(1))
    }
}

fn due(random: &mut Random, interval: Interval) -> Due {
    let months = match interval {
        Interval::Weekly => return Due::Every(7),
        Interval::Biweekly => return Due::Every(14),
        Interval::FourWeekly => return Due::Every(28),
        Interval::SemiMonthly => {
            return random.pick(&[Due::Twice(1, 15), Due::Twice(15, 31), Due::Twice(5, 20)]);
        }
        Interval::Monthly | Interval::Irregular => 1,
        Interval::BiMonthly => 2,
        Interval::Quarterly => 3,
        Interval::SemiAnnually => 6,
        Interval::Annually => 12,
    };
    if random.chance(150) {
        Due::BankDayFromEnd(months, random.pick(&[1, 1, 1, 2, 3]))
    } else {
        Due::Months(months)
    }
}

/// The amounts of a plan, one after the other.
struct Steps {
    course: Course,
    minor: i64,
    /// Change per payment of a trend, in ten-thousandths.
    slope: i64,
    /// Payments until the next step.
    until: i64,
}

impl Steps {
    fn new(random: &mut Random, plan: &Plan) -> Self {
        Self {
            course: plan.course,
            minor: plan.minor,
            slope: random.between(20, 150),
            until: random.between(3, 14),
        }
    }

    fn next(&mut self, random: &mut Random) -> i64 {
        match self.course {
            Course::Fixed => self.minor,
            Course::Bills => self.minor * random.between(900, 1100) / 1000,
            Course::Trend => {
                let minor = self.minor;
                self.minor += self.minor * self.slope / 10_000;
                minor
            }
            Course::Steps => {
                self.until -= 1;
                if self.until == 0 {
                    self.minor += self.minor * random.between(30, 120) / 1000;
                    self.until = random.between(6, 18);
                }
                self.minor
            }
        }
    }
}
