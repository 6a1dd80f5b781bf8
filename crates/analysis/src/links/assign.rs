//! Which of several possible partners belong together: the assignment with the most evidence.

use std::cmp::Reverse;

/// A possible pair with what speaks for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Edge {
    /// One side.
    pub(crate) left: u32,
    /// The other side.
    pub(crate) right: u32,
    /// Points; more than zero.
    pub(crate) points: i64,
}

/// Most members of one side for which the best assignment is computed. In larger clusters, which
/// take hundreds of equal amounts within days of each other, the strongest pair is taken first.
const EXACT_MAX: usize = 48;

/// Picks edges so that each side is used once and the points are the most possible.
///
/// Ties go to the smaller numbers, so the result depends on the numbering alone. Pairs come back in
/// the order of their left sides.
pub(crate) fn assign(mut edges: Vec<Edge>) -> Vec<Edge> {
    edges.retain(|edge| edge.points > 0);
    edges.sort_unstable_by_key(|edge| (edge.left, edge.right));
    let mut picked = Vec::new();
    for cluster in clusters(edges) {
        match cluster.as_slice() {
            [only] => picked.push(*only),
            _ => best(cluster, &mut picked),
        }
    }
    picked.sort_unstable_by_key(|edge| edge.left);
    picked
}

/// Edges that compete with each other, directly or through others.
fn clusters(edges: Vec<Edge>) -> Vec<Vec<Edge>> {
    let lefts = ranks(edges.iter().map(|edge| edge.left));
    let rights = ranks(edges.iter().map(|edge| edge.right));
    let place = |sides: &[u32], side: u32| sides.binary_search(&side).unwrap_or_default();
    let mut parents: Vec<usize> = (0..lefts.len().saturating_add(rights.len())).collect();
    for edge in &edges {
        let left = place(&lefts, edge.left);
        let right = lefts.len().saturating_add(place(&rights, edge.right));
        let (left, right) = (root(&mut parents, left), root(&mut parents, right));
        if let Some(parent) = parents.get_mut(left.max(right)) {
            *parent = left.min(right);
        }
    }
    let mut keyed: Vec<(usize, Edge)> = edges
        .into_iter()
        .map(|edge| (root(&mut parents, place(&lefts, edge.left)), edge))
        .collect();
    keyed.sort_by_key(|(root, _)| *root);
    let alone = |run: &[(usize, Edge)]| run.iter().map(|(_, edge)| *edge).collect();
    keyed.chunk_by(|a, b| a.0 == b.0).map(alone).collect()
}

fn root(parents: &mut [usize], mut at: usize) -> usize {
    while let Some(parent) = parents.get(at).copied().filter(|parent| *parent != at) {
        // Halving the path keeps later walks short.
        let above = parents.get(parent).copied().unwrap_or(parent);
        if let Some(slot) = parents.get_mut(at) {
            *slot = above;
        }
        at = above;
    }
    at
}

fn ranks(sides: impl Iterator<Item = u32>) -> Vec<u32> {
    let mut sides: Vec<u32> = sides.collect();
    sides.sort_unstable();
    sides.dedup();
    sides
}

fn best(cluster: Vec<Edge>, picked: &mut Vec<Edge>) {
    let lefts = ranks(cluster.iter().map(|edge| edge.left));
    let rights = ranks(cluster.iter().map(|edge| edge.right));
    if lefts.len().max(rights.len()) > EXACT_MAX {
        strongest_first(cluster, picked);
        return;
    }
    let width = lefts.len().max(rights.len());
    let mut points = vec![vec![0_i64; width]; width];
    for edge in &cluster {
        let row = lefts.binary_search(&edge.left).unwrap_or_default();
        let column = rights.binary_search(&edge.right).unwrap_or_default();
        if let Some(cell) = points.get_mut(row).and_then(|row| row.get_mut(column)) {
            *cell = edge.points;
        }
    }
    let rows = hungarian(&points);
    picked.extend(cluster.into_iter().filter(|edge| {
        let row = lefts.binary_search(&edge.left).unwrap_or_default();
        let column = rights.binary_search(&edge.right).ok();
        rows.get(row).copied() == column
    }));
}

fn strongest_first(mut cluster: Vec<Edge>, picked: &mut Vec<Edge>) {
    cluster.sort_unstable_by_key(|edge| (Reverse(edge.points), edge.left, edge.right));
    let mut used = (
        std::collections::HashSet::new(),
        std::collections::HashSet::new(),
    );
    for edge in cluster {
        if !used.0.contains(&edge.left) && !used.1.contains(&edge.right) {
            used.0.insert(edge.left);
            used.1.insert(edge.right);
            picked.push(edge);
        }
    }
}

/// The column of each row in the assignment of a square matrix with the largest sum.
///
/// # Source
/// Kuhn–Munkres with potentials, O(n³).
fn hungarian(points: &[Vec<i64>]) -> Vec<usize> {
    let size = points.len();
    let mut matching = Matching {
        points,
        rows: vec![0; size.saturating_add(1)],
        columns: vec![0; size.saturating_add(1)],
        row_of: vec![0; size.saturating_add(1)],
    };
    for row in 1..=size {
        matching.add(row);
    }
    let mut column_of = vec![0; size];
    for (column, row) in matching.row_of.iter().enumerate().skip(1) {
        if let Some(slot) = row.checked_sub(1).and_then(|row| column_of.get_mut(row)) {
            *slot = column.saturating_sub(1);
        }
    }
    column_of
}

/// Rows and columns count from 1; 0 is none.
struct Matching<'a> {
    points: &'a [Vec<i64>],
    rows: Vec<i64>,
    columns: Vec<i64>,
    row_of: Vec<usize>,
}

impl Matching<'_> {
    /// What it costs beyond the potentials to put a row into a column.
    fn slack(&self, row: usize, column: usize) -> i64 {
        let cell = self.points.get(row.saturating_sub(1));
        let points = cell.and_then(|row| row.get(column.saturating_sub(1)));
        let cost = points.copied().unwrap_or_default().saturating_neg();
        cost.saturating_sub(at(&self.rows, row))
            .saturating_sub(at(&self.columns, column))
    }

    /// Brings one more row in, moving others where that is better.
    fn add(&mut self, row: usize) {
        let width = self.columns.len();
        let mut least = vec![i64::MAX; width];
        let mut before = vec![0_usize; width];
        let mut used = vec![false; width];
        let mut column = 0;
        put(&mut self.row_of, 0, row);
        while at(&self.row_of, column) != 0 {
            put(&mut used, column, true);
            let current = at(&self.row_of, column);
            let mut delta = i64::MAX;
            let mut next = 0;
            for other in (1..width).filter(|other| !at(&used, *other)) {
                let slack = self.slack(current, other);
                if slack < at(&least, other) {
                    put(&mut least, other, slack);
                    put(&mut before, other, column);
                }
                if at(&least, other) < delta {
                    delta = at(&least, other);
                    next = other;
                }
            }
            self.shift(delta, &used, &mut least);
            column = next;
        }
        while column != 0 {
            let earlier = at(&before, column);
            let row = at(&self.row_of, earlier);
            put(&mut self.row_of, column, row);
            column = earlier;
        }
    }

    fn shift(&mut self, delta: i64, used: &[bool], least: &mut [i64]) {
        for (column, used) in used.iter().enumerate() {
            if *used {
                let row = at(&self.row_of, column);
                let potential = at(&self.rows, row).saturating_add(delta);
                put(&mut self.rows, row, potential);
                let potential = at(&self.columns, column).saturating_sub(delta);
                put(&mut self.columns, column, potential);
            } else {
                let slack = at(least, column).saturating_sub(delta);
                put(least, column, slack);
            }
        }
    }
}

fn at<T: Copy + Default>(values: &[T], index: usize) -> T {
    values.get(index).copied().unwrap_or_default()
}

fn put<T>(values: &mut [T], index: usize, value: T) {
    if let Some(slot) = values.get_mut(index) {
        *slot = value;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn edge(left: u32, right: u32, points: i64) -> Edge {
        Edge {
            left,
            right,
            points,
        }
    }

    fn sum(edges: &[Edge]) -> i64 {
        edges.iter().map(|edge| edge.points).sum()
    }

    /// The most points by trying everything.
    fn naive(edges: &[Edge]) -> i64 {
        let Some((first, rest)) = edges.split_first() else {
            return 0;
        };
        let compatible: Vec<Edge> = rest
            .iter()
            .filter(|edge| edge.left != first.left && edge.right != first.right)
            .copied()
            .collect();
        naive(rest).max(first.points.saturating_add(naive(&compatible)))
    }

    #[test]
    fn the_strongest_pair_gives_way_to_two_good_ones() {
        let picked = assign(vec![edge(1, 1, 9), edge(1, 2, 8), edge(2, 1, 8)]);
        assert_eq!(picked, [edge(1, 2, 8), edge(2, 1, 8)]);
    }

    #[test]
    fn large_clusters_are_assigned_too() {
        let mut edges = Vec::new();
        for left in 0..200_u32 {
            edges.push(edge(left, left, 10));
            edges.push(edge(left, left.saturating_add(1), 5));
        }
        let picked = assign(edges);
        assert_eq!(picked.len(), 200);
        assert!(picked.iter().all(|edge| edge.left == edge.right));
    }

    proptest! {
        #[test]
        fn finds_the_most_points(raw in prop::collection::vec((0..5_u32, 0..5_u32, 1..20_i64), 0..10)) {
            let mut edges: Vec<Edge> = raw.into_iter().map(|(l, r, p)| edge(l, r, p)).collect();
            edges.sort_unstable_by_key(|edge| (edge.left, edge.right));
            edges.dedup_by_key(|edge| (edge.left, edge.right));
            let picked = assign(edges.clone());
            let mut lefts: Vec<u32> = picked.iter().map(|edge| edge.left).collect();
            lefts.dedup();
            prop_assert_eq!(lefts.len(), picked.len());
            prop_assert_eq!(ranks(picked.iter().map(|edge| edge.right)).len(), picked.len());
            prop_assert_eq!(sum(&picked), naive(&edges));
            edges.reverse();
            prop_assert_eq!(assign(edges), picked);
        }
    }
}
