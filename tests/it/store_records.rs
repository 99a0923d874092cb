//! Mails one by one, as the command line lists them.

use mailtui::model::*;

use crate::store_kit::{Kit, mail, popped};

#[test]
fn copies_come_newest_first_page_by_page_each_once() {
    let kit = Kit::server();
    for number in 1..=30 {
        kit.bring(mail(kit.inbox, number));
    }
    let view = View::Folder(kit.inbox);
    let mut seen = Vec::new();
    let mut below = None;
    loop {
        let page = kit.reader.copies(view, below, 7).unwrap();
        assert!(page.len() <= 7);
        let Some(last) = page.last() else { break };
        below = Some(last.key);
        seen.extend(page.into_iter().map(|mail| mail.key));
    }
    assert_eq!(seen.len(), 30);
    assert!(seen.is_sorted_by(|a, b| a > b));
    assert_eq!(kit.reader.copies(View::Unified(Role::Inbox), None, 100).unwrap().len(), 30);
}

#[test]
fn a_record_tells_the_name_on_the_server_and_the_tags() {
    let kit = Kit::server();
    let mut incoming = mail(kit.inbox, 3);
    incoming.uid = Some(77);
    incoming.keywords = vec!["work".into(), "$Label1".into()];
    kit.bring(incoming);
    let copy = &kit.reader.copies(View::Folder(kit.inbox), None, 1).unwrap()[0];
    let record = kit.reader.record(copy.placement).unwrap();
    assert_eq!((record.uid, record.uidl), (Some(77), None));
    assert_eq!(record.tags.iter().map(ToString::to_string).collect::<Vec<_>>(), ["$Label1", "work"]);
}

#[test]
fn p1_a_record_of_pop3_mail_tells_its_uidl() {
    let kit = Kit::new(Owner::Here);
    kit.bring(popped(kit.inbox, 5));
    let copy = &kit.reader.copies(View::Folder(kit.inbox), None, 1).unwrap()[0];
    let record = kit.reader.record(copy.placement).unwrap();
    assert_eq!(record.uid, None);
    assert_eq!(record.uidl.unwrap().as_str(), "uidl-5");
}
