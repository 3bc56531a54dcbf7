//! Who the customer is: the name to book on and to greet by.

use language::{Asked, Context};

use crate::turn::Mind;

impl Mind<'_> {
    /// The customer's name, to book on and to tell the administrator.
    pub(crate) fn client_name(&self) -> Option<String> {
        let card = self.turn.customer.client.as_ref().map(|client| client.name.trim().to_owned());
        self.state.name.clone().or(card.filter(|name| !name.is_empty())).or_else(|| self.push_name())
    }

    /// The name of whoever comes.
    pub(crate) fn visitor_name(&self) -> Option<String> {
        self.state.wish.guest_name.clone().or_else(|| self.client_name())
    }

    /// The WhatsApp name, where it is a person's: as they write it, without what surrounds it.
    fn push_name(&self) -> Option<String> {
        let text = self.turn.customer.push_name.as_deref()?.trim();
        let person = self.person(text)?;
        let words = |text: &str| text.split(|c: char| !c.is_alphabetic() && c != '-').filter(|word| !word.is_empty()).count();
        if words(text) > words(&person) {
            // «Маникюр Тюмень»: what is not all a name is a business.
            return None;
        }
        // Asked for a name, anything may be one; told unasked, only what names people.
        self.turn.reader.read(&format!("это {person}"), self.turn.now, &Context::default()).name?;
        Some(if text.chars().all(|c| c.is_alphabetic() || c == ' ') { text.to_owned() } else { person })
    }

    /// The person's name in a text that should be one.
    fn person(&self, text: &str) -> Option<String> {
        let context = Context { asked: Some(Asked::Name), ..Context::default() };
        let read = self.turn.reader.read(text, self.turn.now, &context);
        read.name.filter(|_| read.service_ids.is_empty())
    }

    /// How to address the customer: by the first of their names that is one.
    pub(crate) fn first_name(&self) -> Option<String> {
        let name = self.client_name()?;
        let words: Vec<&str> = name.split_whitespace().collect();
        let first = words.iter().find(|word| self.person(word).is_some()).or(words.first())?;
        Some((*first).to_owned())
    }
}
