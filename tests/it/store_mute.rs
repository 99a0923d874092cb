//! Muting: what comes to a muted conversation is read already, here, on the server and on other devices.

use mailtui::model::*;
use mailtui::store::*;

use crate::store_kit::{Kit, mail, reply};

impl Kit {
    fn mute(&self, items: &[PlacementId], on: bool) -> Outcome {
        let outcome = self.store.intend_wait(Intent::Mute { items: items.to_vec(), on }).unwrap();
        self.check();
        outcome
    }

    /// Of each mail of the inbox whether it is read and muted.
    fn hushed(&self) -> Vec<(bool, bool)> {
        let members = self.top(self.inbox).into_iter().flat_map(|row| row.members);
        let mails = members.map(|m| self.reader.summary(m.placement).unwrap().unwrap());
        mails.map(|mail| (mail.flags.has(Flags::SEEN), is_muted(&mail.tags))).collect()
    }
}

#[test]
fn a8_muting_is_a_keyword_and_what_comes_later_gets_it_too() {
    let kit = Kit::server();
    let first = kit.bring(mail(kit.inbox, 1));
    assert_eq!(kit.mute(&[kit.copy(kit.inbox, first)], true).label, "muted 1 conversation");
    let marks = |untag: bool| match untag {
        false => {
            Marking { flags: FlagDelta::add(Flags::SEEN), tag: vec![MUTED.to_owned()], ..Marking::default() }
        }
        true => Marking { untag: vec![MUTED.to_owned()], ..Marking::default() },
    };
    kit.bring(reply(kit.inbox, 2, 1));
    kit.bring(mail(kit.inbox, 3));
    kit.check();
    assert_eq!(kit.hushed(), [(false, false), (true, true), (true, true)]);
    let ops = kit.ops();
    assert_eq!(
        ops.iter().map(|op| &op.kind).collect::<Vec<_>>(),
        [&OpKind::Flags(marks(false)), &OpKind::Flags(marks(false))]
    );
    // Undone, nothing of it is left, and what the server has not heard it never hears of.
    let undone = kit.store.intend_wait(Intent::Undo).unwrap();
    assert_eq!(undone.label, "undid: muted 1 conversation");
    kit.check();
    assert_eq!(kit.hushed(), [(false, false), (true, false), (false, false)]);
    kit.bring(reply(kit.inbox, 4, 2));
    assert_eq!(kit.hushed()[0], (false, false));
    kit.store.intend_wait(Intent::Redo).unwrap();
    kit.bring(reply(kit.inbox, 5, 2));
    assert_eq!(kit.hushed()[0], (true, true));
    let all: Vec<_> = kit.top(kit.inbox)[0].members.iter().map(|m| m.placement).collect();
    assert_eq!(kit.mute(&all[..1], false).label, "unmuted 1 conversation");
    assert!(kit.hushed().iter().all(|(_, muted)| !muted));
    kit.bring(reply(kit.inbox, 6, 5));
    assert_eq!(kit.hushed()[0], (false, false));
}

#[test]
fn a8_a_conversation_muted_on_another_device_is_muted_here_and_its_end_is_heard() {
    let kit = Kit::server();
    kit.bring(Incoming { keywords: vec!["$muted".to_owned()], ..mail(kit.inbox, 1) });
    kit.bring(reply(kit.inbox, 2, 1));
    assert_eq!(kit.hushed(), [(true, true), (true, true)]);
    let flags = |uid| Step::Flags { folder: kit.inbox, uid, flags: Flags::SEEN, keywords: Vec::new() };
    for op in kit.ops() {
        kit.commit([Step::OpRunning(op.id), Step::OpDone { op: op.id, moved: vec![], created: None }]);
    }
    kit.commit([flags(1), flags(2)]);
    kit.bring(reply(kit.inbox, 3, 2));
    kit.check();
    assert_eq!(kit.hushed()[0], (false, false));
}

#[test]
fn a_muted_conversation_stays_muted_when_all_of_its_mail_is_gone() {
    let kit = Kit::new(Owner::Here);
    let first = kit.bring(Incoming { uid: None, ..mail(kit.inbox, 1) });
    let copy = kit.copy(kit.inbox, first);
    kit.mute(&[copy], true);
    kit.store.intend_wait(Intent::Purge { items: vec![copy] }).unwrap();
    kit.check();
    assert!(kit.top(kit.inbox).is_empty());
    kit.bring(Incoming { uid: None, ..reply(kit.inbox, 2, 1) });
    kit.bring(Incoming { uid: None, ..reply(kit.inbox, 3, 2) });
    kit.bring(Incoming { uid: None, ..mail(kit.inbox, 4) });
    kit.check();
    assert_eq!(kit.hushed(), [(false, false), (true, true), (true, true)]);
}
