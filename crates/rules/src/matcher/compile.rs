//! From rules to tables: groups of literals, and which clauses each piece of evidence awakes.

use std::collections::BTreeMap;

use domain::UserType;

use crate::codes::CodeKey;
use crate::literal::{Literal, Shape};
use crate::matcher::Matcher;
use crate::matcher::compounds::CompoundsBuilder;
use crate::matcher::table::{Posting, TableBuilder};
use crate::matcher::weigh::{Scales, Verdict, Weighing};
use crate::rule::{Clause, Direction, Guards, Rule, RuleId, SelfTest, Stage, Test};
use crate::view::Roles;

/// A list of literals with roles; equal lists of several rules are one group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct GroupId(pub(crate) u32);

/// A clause in compiled form.
#[derive(Debug)]
pub(crate) struct CompiledClause {
    pub(crate) rule: RuleId,
    pub(crate) required: Vec<CompiledTest>,
    pub(crate) forbidden: Vec<CompiledTest>,
    pub(crate) guards: Guards,
}

/// A test in compiled form.
#[derive(Debug)]
pub(crate) enum CompiledTest {
    /// A group was hit in a text of one of the roles.
    Group(GroupId, Roles),
    /// The counterparty's name holds the account holder's.
    Holder,
    /// A test on codes.
    Code(Test),
}

impl CompiledTest {
    /// The roles of the texts that the test looks at.
    pub(crate) const fn roles(&self) -> Roles {
        match self {
            Self::Group(_, roles) => *roles,
            Self::Holder | Self::Code(_) => Roles::NONE,
        }
    }
}

/// A clause by its place in the matcher.
pub(crate) type ClauseNumber = u32;

/// Which clauses a piece of evidence awakes. Each clause has exactly one such piece.
#[derive(Debug, Default)]
pub(crate) struct Anchors {
    pub(crate) groups: GroupAnchors,
    pub(crate) transaction_codes: BTreeMap<u16, Vec<ClauseNumber>>,
    pub(crate) merchant_categories: BTreeMap<u16, Vec<ClauseNumber>>,
    pub(crate) purpose_codes: BTreeMap<[u8; 4], Vec<ClauseNumber>>,
    pub(crate) creditor_ids: BTreeMap<CodeKey, Vec<ClauseNumber>>,
    pub(crate) ibans: BTreeMap<CodeKey, Vec<ClauseNumber>>,
    pub(crate) bank_codes: BTreeMap<[u8; 8], Vec<ClauseNumber>>,
    /// Awake whenever a payment service was recognised.
    pub(crate) intermediaries: Vec<ClauseNumber>,
    /// Awake whenever the account or its holder may be the other side.
    pub(crate) own: Vec<ClauseNumber>,
    /// Always awake, by direction.
    pub(crate) fallbacks: [Vec<ClauseNumber>; 2],
}

/// The clauses that groups awake, one list behind the other, so that a hit touches little memory.
#[derive(Debug, Default)]
pub(crate) struct GroupAnchors {
    /// By group: where its clauses for debits start, where those for credits do, and their end.
    borders: Vec<[u32; 3]>,
    clauses: Vec<ClauseNumber>,
}

impl GroupAnchors {
    fn build(groups: &[[Vec<ClauseNumber>; 2]]) -> Self {
        let mut built = Self::default();
        for [debit, credit] in groups {
            let here = |built: &Self| u32::try_from(built.clauses.len()).unwrap_or(u32::MAX);
            let start = here(&built);
            built.clauses.extend(debit);
            let middle = here(&built);
            built.clauses.extend(credit);
            let end = here(&built);
            built.borders.push([start, middle, end]);
        }
        built
    }

    /// How many groups there are.
    pub(crate) fn len(&self) -> usize {
        self.borders.len()
    }

    /// The clauses that a group awakes.
    #[inline]
    pub(crate) fn of(&self, group: GroupId, direction: Direction) -> &[ClauseNumber] {
        let [start, middle, end] = self.borders[group.0 as usize];
        let (from, to) = match direction {
            Direction::Debit => (start, middle),
            Direction::Credit => (middle, end),
        };
        &self.clauses[from as usize..to as usize]
    }
}

/// The place of a direction in pairs of lists.
pub(crate) const fn side(direction: Direction) -> usize {
    match direction {
        Direction::Debit => 0,
        Direction::Credit => 1,
    }
}

#[derive(Default)]
struct Compiler {
    groups: BTreeMap<(Roles, Vec<Literal>), GroupId>,
    table: TableBuilder,
    compounds: CompoundsBuilder,
    anchors: Anchors,
    /// By group, for debits and for credits.
    group_anchors: Vec<[Vec<ClauseNumber>; 2]>,
    clauses: Vec<CompiledClause>,
}

impl Matcher {
    /// Compiles the rules of a tree.
    pub(crate) fn compile(rules: &[Rule], tree: UserType, weighing: &Weighing<'_>) -> Self {
        let mut compiler = Compiler::default();
        let mut verdicts = Vec::new();
        for (id, rule) in (0..).map(RuleId).zip(rules) {
            let verdict = Verdict::of(rule, weighing);
            if rule.tree == tree && rule.status.stage != Stage::Removed {
                for clause in &rule.clauses {
                    compiler.add(id, clause);
                    verdicts.push(verdict);
                }
            }
        }
        let mut literals: Vec<String> = compiler
            .groups
            .keys()
            .flat_map(|(_, literals)| literals)
            .map(|literal| literal.words.join(" "))
            .collect();
        literals.sort_unstable();
        literals.dedup();
        let anchors = compiler.group_anchors;
        let anchored = |group: GroupId| anchors[group.0 as usize].iter().any(|one| !one.is_empty());
        compiler.anchors.groups = GroupAnchors::build(&anchors);
        Self {
            words: compiler.table.build(&anchored),
            compounds: compiler.compounds.build(&anchored),
            anchors: compiler.anchors,
            clauses: compiler.clauses,
            verdicts,
            scales: Scales::of(tree, weighing),
            literals,
        }
    }
}

impl Compiler {
    fn add(&mut self, rule: RuleId, clause: &Clause) {
        let number = u32::try_from(self.clauses.len()).unwrap_or(u32::MAX);
        let compiled = CompiledClause {
            rule,
            required: clause.required.iter().map(|test| self.test(test)).collect(),
            forbidden: clause
                .forbidden
                .iter()
                .map(|test| self.test(test))
                .collect(),
            guards: clause.guards.clone(),
        };
        self.anchor(number, &compiled);
        self.clauses.push(compiled);
    }

    fn test(&mut self, test: &Test) -> CompiledTest {
        match test {
            Test::Words { roles, literals } => {
                CompiledTest::Group(self.group(*roles, literals), *roles)
            }
            Test::Self_(SelfTest::Holder) => CompiledTest::Holder,
            Test::TransactionCode(_)
            | Test::MerchantCategory(_)
            | Test::PurposeCode(_)
            | Test::CreditorId(_)
            | Test::Iban(_)
            | Test::BankCode(_)
            | Test::Intermediary(_)
            | Test::Self_(SelfTest::OwnAccount) => CompiledTest::Code(test.clone()),
        }
    }

    fn group(&mut self, roles: Roles, literals: &[Literal]) -> GroupId {
        let mut sorted = literals.to_vec();
        sorted.sort_unstable();
        if let Some(group) = self.groups.get(&(roles, sorted.clone())) {
            return *group;
        }
        let group = GroupId(u32::try_from(self.groups.len()).unwrap_or(u32::MAX));
        for literal in &sorted {
            let posting = Posting {
                group,
                roles,
                awakes: false,
            };
            match literal.shape {
                Shape::Whole => self.table.add(literal, posting),
                Shape::Prefix | Shape::Suffix | Shape::Infix => {
                    self.compounds.add(literal, posting);
                }
            }
        }
        self.groups.insert((roles, sorted), group);
        self.group_anchors.push([Vec::new(), Vec::new()]);
        group
    }

    /// Enters a clause where its first piece of evidence will awake it.
    fn anchor(&mut self, number: ClauseNumber, clause: &CompiledClause) {
        let directions = match clause.guards.direction {
            Some(direction) => vec![direction],
            None => vec![Direction::Debit, Direction::Credit],
        };
        let anchors = &mut self.anchors;
        let Some(test) = clause.required.iter().max_by_key(|test| selectivity(test)) else {
            for direction in directions {
                anchors.fallbacks[side(direction)].push(number);
            }
            return;
        };
        match test {
            CompiledTest::Group(group, _) => {
                for direction in directions {
                    self.group_anchors[group.0 as usize][side(direction)].push(number);
                }
            }
            CompiledTest::Holder | CompiledTest::Code(Test::Self_(_)) => anchors.own.push(number),
            CompiledTest::Code(test) => anchors.code(test, number),
        }
    }
}

impl Anchors {
    fn code(&mut self, test: &Test, number: ClauseNumber) {
        fn all<K: Ord + Copy>(
            map: &mut BTreeMap<K, Vec<u32>>,
            keys: impl IntoIterator<Item = K>,
            number: u32,
        ) {
            for key in keys {
                let clauses = map.entry(key).or_default();
                if clauses.last() != Some(&number) {
                    clauses.push(number);
                }
            }
        }
        match test {
            Test::TransactionCode(codes) => {
                all(&mut self.transaction_codes, codes.iter().copied(), number);
            }
            Test::MerchantCategory(ranges) => {
                let codes = ranges.iter().flat_map(|(min, max)| *min..=*max);
                all(&mut self.merchant_categories, codes, number);
            }
            Test::PurposeCode(codes) => all(&mut self.purpose_codes, codes.iter().copied(), number),
            Test::CreditorId(keys) => all(&mut self.creditor_ids, keys.iter().copied(), number),
            Test::Iban(keys) => all(&mut self.ibans, keys.iter().copied(), number),
            Test::BankCode(codes) => all(&mut self.bank_codes, codes.iter().copied(), number),
            Test::Intermediary(_) => self.intermediaries.push(number),
            Test::Self_(_) => self.own.push(number),
            // Groups are anchored by the caller.
            Test::Words { .. } => {}
        }
    }
}

/// How rarely a test holds by chance; the rarest awakes the clause.
fn selectivity(test: &CompiledTest) -> u8 {
    match test {
        CompiledTest::Code(Test::CreditorId(_) | Test::Iban(_)) => 6,
        CompiledTest::Group(..) => 5,
        CompiledTest::Code(Test::BankCode(_)) => 4,
        CompiledTest::Code(Test::MerchantCategory(_) | Test::PurposeCode(_)) => 3,
        CompiledTest::Code(Test::TransactionCode(_)) => 2,
        CompiledTest::Code(Test::Intermediary(_)) => 1,
        CompiledTest::Holder | CompiledTest::Code(Test::Self_(_) | Test::Words { .. }) => 0,
    }
}
