//! Transfers between own accounts and returned debits.

use std::collections::BTreeSet;

use analysis::event::{self, Event, Role};
use analysis::links::{self, LinkKind, MemberRole, NoRates};
use rules::RulePack;

use crate::sources::{User, berka, scenarios, tags};

/// The events with the tags of the rules, or without any.
fn check(user: &User, tags: Option<&[Vec<String>]>) -> (usize, usize, usize) {
    let events = event::stream(&user.accounts, |account, at| {
        tags.map_or("", |tags| tags[account][at].as_str())
    });
    let links = links::detect(&user.accounts, &events, &NoRates);
    let id = |event: &Event<'_>| event.transaction.id.to_string();
    let roles = events.iter().zip(&links.roles);
    let found: BTreeSet<String> = roles
        .filter(|(_, role)| **role == Role::OwnTransfer)
        .map(|(event, _)| id(event))
        .collect();
    let truth = &user.truth;
    let known: BTreeSet<String> = truth
        .internal_transfers
        .union(&truth.own_transfers_external)
        .cloned()
        .collect();
    for missed in known.difference(&found) {
        println!("{}: missed transfer {missed}", user.id);
    }
    for wrong in found.difference(&known) {
        println!("{}: wrong transfer {wrong}", user.id);
    }
    let returns: BTreeSet<String> = events
        .iter()
        .zip(&links.roles)
        .filter(|(_, role)| matches!(role, Role::Return))
        .map(|(event, _)| id(event))
        .collect();
    let tagged: BTreeSet<String> = truth
        .tags
        .iter()
        .filter(|(_, tag)| matches!(tag.as_str(), "back_debit" | "transfer_return"))
        .map(|(id, _)| id.clone())
        .collect();
    assert_eq!(returns, tagged, "{}: returns", user.id);
    let counted: usize = truth.risk.values().map(|risk| risk.back_debit).sum();
    assert_eq!(returns.len(), counted, "{}: returns", user.id);
    for link in &links.links {
        if link.kind == LinkKind::ReturnChain {
            let roles: Vec<MemberRole> = link.members.iter().map(|member| member.role).collect();
            assert!(
                roles.contains(&MemberRole::Original),
                "{}: {roles:?}",
                user.id
            );
        }
        if link.kind == LinkKind::Refund {
            let ids = link.members.iter().map(|member| {
                let account = &user.accounts[member.place.account_index];
                account.transactions[member.place.transaction_index]
                    .id
                    .to_string()
            });
            println!("{}: refund {:?}", user.id, ids.collect::<Vec<_>>());
        }
    }
    (found.intersection(&known).count(), found.len(), known.len())
}

#[test]
fn scenarios_transfers_and_returns_are_found() {
    let pack = RulePack::builtin().expect("the built-in pack");
    let (mut right, mut found, mut known) = (0, 0, 0);
    for user in scenarios() {
        let tags = tags(&pack, &user);
        for tags in [Some(tags.as_slice()), None] {
            let (r, f, k) = check(&user, tags);
            right += r;
            found += f;
            known += k;
        }
    }
    println!("{right} right of {found} found and {known} known");
    assert!(right * 1000 >= found * 970);
    assert!(right * 1000 >= known * 970);
}

#[test]
fn a_single_account_without_texts_has_no_links() {
    for user in berka() {
        let events = event::stream(&user.accounts, |_, _| "");
        let links = links::detect(&user.accounts, &events, &NoRates);
        assert_eq!(links.links, [], "{}", user.id);
    }
}
