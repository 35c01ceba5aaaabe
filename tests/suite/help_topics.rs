//! `help`: topics, commands, and what is neither.

use cruddur_ops::commands::list_topics;

use crate::sandbox::Sandbox;

#[test]
fn each_topic_is_printed_whole_and_listed() {
    let sandbox = Sandbox::new(&[]);
    let list = sandbox.run(&["help"]).expect(0).stdout;
    for topic in list_topics() {
        let shown = sandbox.run(&["help", topic.name]).expect(0).stdout;
        let words = |text: &str| {
            let words = text.split_whitespace().filter(|word| !matches!(*word, "#" | "##" | "```"));
            words.map(str::to_owned).collect::<Vec<_>>()
        };
        assert_eq!(words(&shown), words(&(topic.text)()), "{}", topic.name);
        assert!(
            list.contains(&format!("  {:<12} {}", topic.name, topic.title())),
            "{}",
            topic.name
        );
        let document = sandbox.run(&["help", topic.name, "--json"]).expect(0).json();
        assert_eq!(document["topic"], topic.name);
    }
}

#[test]
fn a_command_has_the_help_of_its_flag() {
    let sandbox = Sandbox::new(&[]);
    for words in [&["init"][..], &["key", "set"], &["instrument", "span"]] {
        let by_command = sandbox.run(&[&["help"], words].concat()).expect(0).stdout;
        let by_flag = sandbox.run(&[words, &["--help"]].concat()).expect(0).stdout;
        assert_eq!(by_command, by_flag, "{words:?}");
    }
}

#[test]
fn an_unknown_command_or_topic_is_refused_with_the_topics() {
    let sandbox = Sandbox::new(&[]);
    for words in
        [&["help", "nosuch"][..], &["help", "key", "nosuch"], &["help", "verify", "exit-codes"]]
    {
        let refused = sandbox.run(words).expect(2).stderr;
        assert!(refused.contains("error[usage]") && refused.contains("exit-codes"), "{refused}");
    }
}
