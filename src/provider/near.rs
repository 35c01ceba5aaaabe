//! How near a word is to another that was meant.

/// Returns how many letters must be added, dropped, exchanged or swapped with a neighbour to make one word of the other.
pub fn edit_distance(one: &str, other: &str) -> usize {
    let (one, other): (Vec<char>, Vec<char>) = (one.chars().collect(), other.chars().collect());
    let mut before: Vec<usize> = Vec::new();
    let mut above: Vec<usize> = (0..=other.len()).collect();
    for (row, letter) in one.iter().enumerate() {
        let mut line = vec![row + 1];
        for (column, facing) in other.iter().enumerate() {
            let exchanged = above[column] + usize::from(letter != facing);
            let mut least = exchanged.min(above[column + 1] + 1).min(line[column] + 1);
            let swapped =
                row > 0 && column > 0 && one[row - 1] == *facing && other[column - 1] == *letter;
            if swapped {
                least = least.min(before[column - 1] + 1);
            }
            line.push(least);
        }
        before = std::mem::replace(&mut above, line);
    }
    above.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::edit_distance;

    #[test]
    fn slips_are_counted() {
        for (one, other, slips) in [
            ("headers", "headers", 0),
            ("header", "headers", 1),
            ("haeders", "headers", 1),
            ("x-honeycomb-teams", "x-honeycomb-team", 1),
            ("", "abc", 3),
        ] {
            assert_eq!(edit_distance(one, other), slips, "{one} {other}");
        }
    }
}
