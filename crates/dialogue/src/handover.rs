//! Calling a person: what they are told, and the silence after it.

use language::Lang;

use crate::{
    HandOverReason, Pause, Step,
    effect::Effect,
    turn::{Mind, Next},
    wording::Voice,
};

impl Mind<'_> {
    /// Calls a person.
    pub(crate) fn hand_over(self, reason: HandOverReason) -> Step {
        let summary = self.summary();
        self.act(Effect::HandOver { summary, reason }, Next::HandedOver(reason))
    }

    pub(crate) fn handed_over(mut self, reason: HandOverReason, told: bool) -> Step {
        let voice = self.voice();
        if !told {
            self.state.question = None;
            return self.say(voice.nobody_called());
        }
        let words = match reason {
            HandOverReason::Late => return self.say(voice.late_passed_on()),
            HandOverReason::Name => {
                let name = self.state.guest_named.clone().or_else(|| self.state.name.clone()).unwrap_or_default();
                return self.say(voice.name_passed_on(&name));
            }
            HandOverReason::Complaint => voice.complaint_passed_on(),
            HandOverReason::Asked | HandOverReason::BeyondUs | HandOverReason::SystemDown => voice.called_person(),
        };
        self.state.drop_thread();
        self.state.paused = Some(self.turn.now.date());
        self.parts.push(words);
        self.done(Some(Pause::UntilResumedOrNextDay))
    }

    /// What an administrator has to know, in Russian.
    fn summary(&self) -> String {
        let voice = Voice { lang: Lang::Ru, ..self.voice() };
        let mut lines = Vec::new();
        if let Some(name) = self.client_name() {
            lines.push(format!("Клиент: {name}"));
        }
        let said: String = self.text.chars().take(300).collect();
        lines.push(format!("Пишет: «{said}»"));
        let wish = &self.state.wish;
        if !wish.services.is_empty() {
            lines.push(format!("Речь о: {}", voice.services(&wish.services)));
        }
        if let Some(at) = wish.when.first().and_then(|want| want.moment()) {
            lines.push(format!("Хочет прийти: {}", voice.moment(at)));
        }
        lines.join("\n")
    }
}
