//! Which leaves an observation may meet: the paths of their atoms as a tree that is walked together with the data, and
//! at the ends of paths the values that are asked for.

use std::collections::{BTreeSet, HashMap};

use pattern::{Atom, Data, Leaf, Need, Network, Observation, Observed, Operator, StepKind, Value};

/// The tree and the leaves.
#[derive(Debug, Default)]
pub(super) struct Index {
    /// The node of each object type.
    roots: HashMap<Box<str>, usize>,
    nodes: Vec<Node>,
    /// Pattern and leaf of each numbered leaf.
    leaves: Vec<(u32, u32)>,
    unindexed: usize,
}

/// A place in the objects of a type.
#[derive(Debug, Default)]
struct Node {
    properties: HashMap<Box<str>, usize>,
    elements: HashMap<u64, usize>,
    any: Option<usize>,
    asked: Option<Box<Asked>>,
}

/// What is asked of the value at a place, and by which leaves.
#[derive(Debug, Default)]
struct Asked {
    texts: HashMap<Box<str>, Vec<u32>>,
    bytes: HashMap<Box<[u8]>, Vec<u32>>,
    numbers: HashMap<u64, Vec<u32>>,
    booleans: HashMap<bool, Vec<u32>>,
    networks: HashMap<Network, Vec<u32>>,
    /// The lengths of prefix among the networks.
    prefixes: BTreeSet<u32>,
    /// Tested whatever the value.
    others: Vec<u32>,
}

/// Paths are followed so deep; a longer one is taken for its beginning.
const MAX_STEPS: usize = 48;

/// Places that are visited for one observation.
const MAX_VISITS: usize = 1_000_000;

impl Index {
    /// Adds a leaf of a pattern. One that nothing can meet is never a candidate.
    pub(super) fn add(&mut self, pattern: u32, leaf: u32, needs: &Leaf) {
        let number = u32::try_from(self.leaves.len()).unwrap_or(u32::MAX);
        self.leaves.push((pattern, leaf));
        let mut indexed = true;
        for atom in &needs.alternatives {
            let node = self.node(atom);
            let is_cut = atom.path.steps.len() > MAX_STEPS;
            let Some(node) = self.nodes.get_mut(node) else { continue };
            let asked = node.asked.get_or_insert_default();
            if is_cut {
                asked.others.push(number);
                indexed = false;
            } else {
                indexed &= asked.add(atom, number);
            }
        }
        self.unindexed += usize::from(!indexed);
    }

    pub(super) fn leaf(&self, number: u32) -> Option<(u32, u32)> {
        self.leaves.get(number as usize).copied()
    }

    pub(super) fn leaves(&self) -> usize {
        self.leaves.len()
    }

    pub(super) fn unindexed(&self) -> usize {
        self.unindexed
    }

    /// Adds the leaves that an observation may meet, some more than once, each with the place in `seen` of the value that
    /// made it one. False if there was too much to look at.
    pub(super) fn candidates<'o>(
        &self,
        observed: &'o Observed<'_>,
        observation: &'o Observation<'_>,
        found: &mut Vec<(u32, u32)>,
        seen: &mut Vec<&'o Data<'o>>,
    ) -> bool {
        let mut walk = Walk { index: self, observed, observation, found, seen, visits: MAX_VISITS };
        for object in observed.objects_of(observation) {
            if let Some(root) = self.roots.get(&*object.object_type) {
                walk.visit(*root, &object.properties);
            }
        }
        walk.visits > 0
    }

    /// The node at the end of an atom's path.
    fn node(&mut self, atom: &Atom) -> usize {
        let mut at = match self.roots.get(&atom.path.object_type) {
            Some(root) => *root,
            None => {
                let root = self.grow();
                self.roots.insert(atom.path.object_type.clone(), root);
                root
            }
        };
        for step in atom.path.steps.iter().take(MAX_STEPS) {
            let next = self.nodes.len();
            let Some(node) = self.nodes.get_mut(at) else { return at };
            at = match &step.kind {
                StepKind::Property(name) => *node.properties.entry(name.clone()).or_insert(next),
                StepKind::Index(index) => *node.elements.entry(*index).or_insert(next),
                StepKind::Any => *node.any.get_or_insert(next),
            };
            if at == next {
                self.grow();
            }
        }
        at
    }

    fn grow(&mut self) -> usize {
        self.nodes.push(Node::default());
        self.nodes.len() - 1
    }
}

impl Asked {
    /// Files a leaf under what its atom asks for; false if it has to be tested for every value.
    fn add(&mut self, atom: &Atom, leaf: u32) -> bool {
        let is_binary = match atom.path.steps.last().map(|step| &step.kind) {
            Some(StepKind::Property(name)) => name.ends_with("_hex") || name.ends_with("_bin"),
            _ => false,
        };
        match &atom.need {
            Need::OneOf(values) => {
                let mut indexed = true;
                for value in values {
                    indexed &= self.equal(value, is_binary, leaf);
                }
                indexed
            }
            Need::Pass(Operator::IsSubset, Value::String(text)) => {
                // Without a network there is nothing to be within; such a pattern was refused.
                if let Some(network) = Network::parse(text).and_then(|network| network.within(network.prefix())) {
                    self.prefixes.insert(network.prefix());
                    self.networks.entry(network).or_default().push(leaf);
                }
                true
            }
            Need::Pass(..) | Need::Present => self.other(leaf),
        }
    }

    fn equal(&mut self, value: &Value, is_binary: bool, leaf: u32) -> bool {
        match (value, is_binary) {
            (Value::String(text), false) => self.texts.entry(text.clone()).or_default().push(leaf),
            (Value::String(text), true) => {
                let bytes: Option<Box<[u8]>> = text.chars().map(|character| u8::try_from(character).ok()).collect();
                // Characters that are no bytes equal none.
                if let Some(bytes) = bytes {
                    self.bytes.entry(bytes).or_default().push(leaf);
                }
            }
            (Value::Binary(bytes) | Value::Hex(bytes), true) => {
                self.bytes.entry(bytes.clone()).or_default().push(leaf);
            }
            (Value::Binary(bytes) | Value::Hex(bytes), false) => {
                let text: String = bytes.iter().map(|byte| char::from(*byte)).collect();
                self.texts.entry(text.into()).or_default().push(leaf);
            }
            (Value::Integer(number), _) => self.numbers.entry(number_key(*number as f64)).or_default().push(leaf),
            (Value::Float(number), _) => self.numbers.entry(number_key(*number)).or_default().push(leaf),
            (Value::Boolean(value), _) => self.booleans.entry(*value).or_default().push(leaf),
            // Timestamps are written in many ways.
            (Value::Timestamp(_), _) => return self.other(leaf),
        }
        true
    }

    fn other(&mut self, leaf: u32) -> bool {
        if self.others.last() != Some(&leaf) {
            self.others.push(leaf);
        }
        false
    }

    fn find(&self, name: Option<&str>, value: &Data<'_>, place: u32, found: &mut Vec<(u32, u32)>) {
        found.extend(self.others.iter().map(|leaf| (*leaf, place)));
        let mut add = |leaves: Option<&Vec<u32>>| found.extend(leaves.into_iter().flatten().map(|leaf| (*leaf, place)));
        match value {
            Data::Text(text) => {
                add(self.texts.get(&**text));
                if !self.bytes.is_empty()
                    && let Some(bytes) = pattern::decode_property(name.unwrap_or_default(), text)
                {
                    add(self.bytes.get(&*bytes));
                }
                if !self.networks.is_empty()
                    && let Some(network) = Network::parse(text)
                {
                    for prefix in self.prefixes.range(..=network.prefix()) {
                        add(network.within(*prefix).and_then(|within| self.networks.get(&within)));
                    }
                }
            }
            Data::Integer(number) => add(self.numbers.get(&number_key(*number as f64))),
            Data::Float(number) => add(self.numbers.get(&number_key(*number))),
            Data::Boolean(value) => add(self.booleans.get(value)),
            Data::Null | Data::List(_) | Data::Object(_) => {}
        }
    }
}

/// Equal numbers have one key; numbers beyond 2^53 may share one.
fn number_key(number: f64) -> u64 {
    if number == 0.0 { 0 } else { number.to_bits() }
}

struct Walk<'w, 'o> {
    index: &'w Index,
    observed: &'o Observed<'o>,
    observation: &'o Observation<'o>,
    found: &'w mut Vec<(u32, u32)>,
    seen: &'w mut Vec<&'o Data<'o>>,
    visits: usize,
}

impl<'w, 'o> Walk<'w, 'o> {
    /// Recurses as deep as the tree, whose depth is bounded.
    fn visit(&mut self, node: usize, value: &'o Data<'o>) {
        let Some(node) = self.index.nodes.get(node) else { return };
        match value {
            Data::Object(properties) if node.properties.len() < properties.len() => {
                for (name, next) in &node.properties {
                    if let Some(inner) = value.get(name) {
                        self.property(name, *next, inner);
                    }
                }
            }
            Data::Object(properties) => {
                for (name, inner) in properties {
                    if let Some(next) = node.properties.get(&**name) {
                        self.property(name, *next, inner);
                    }
                }
            }
            Data::List(elements) => self.elements(node, elements, false),
            _ => {}
        }
    }

    fn arrive(&mut self, node: usize, name: Option<&str>, value: &'o Data<'o>) {
        self.visits = self.visits.saturating_sub(1);
        if self.visits == 0 {
            return;
        }
        if let Some(asked) = self.index.nodes.get(node).and_then(|node| node.asked.as_ref()) {
            self.ask(asked, name, value);
        }
        self.visit(node, value);
    }

    fn ask(&mut self, asked: &Asked, name: Option<&str>, value: &'o Data<'o>) {
        let before = self.found.len();
        let place = u32::try_from(self.seen.len()).unwrap_or(u32::MAX);
        asked.find(name, value, place, self.found);
        if self.found.len() > before {
            self.seen.push(value);
        }
    }

    /// References lead to the objects that they name, as in the matcher.
    fn property(&mut self, name: &str, node: usize, value: &'o Data<'o>) {
        if name.ends_with("_ref") {
            if let Some(object) = self.referenced(value) {
                self.arrive(node, None, object);
            }
        } else if let (true, Data::List(elements)) = (name.ends_with("_refs"), value) {
            let Some(own) = self.index.nodes.get(node) else { return };
            if let Some(asked) = &own.asked {
                self.ask(asked, None, value);
            }
            self.elements(own, elements, true);
        } else {
            self.arrive(node, Some(name), value);
        }
    }

    fn elements(&mut self, node: &'w Node, elements: &'o [Data<'o>], are_references: bool) {
        if node.any.is_none() && node.elements.is_empty() {
            return;
        }
        for (place, element) in (0_u64..).zip(elements) {
            let element = match are_references {
                true => self.referenced(element),
                false => Some(element),
            };
            let Some(element) = element else { continue };
            for next in node.any.iter().chain(node.elements.get(&place)) {
                self.arrive(*next, None, element);
            }
            if self.visits == 0 {
                return;
            }
        }
    }

    fn referenced(&self, value: &Data<'_>) -> Option<&'o Data<'o>> {
        let observed = self.observed;
        Some(&observed.referenced(self.observation, value.text()?)?.1.properties)
    }
}
