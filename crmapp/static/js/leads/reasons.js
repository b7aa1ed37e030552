// Why a lead is not activated, in plain words.
export const REASONS = {
  already_a_user: "the address belongs to a user already",
  already_active: "activated before",
  duplicate_in_selection: "another selected lead has the same address",
  held_by_another_session: "another activation that is under way has it",
  invalid_email: "no e-mail address that mail can be sent to",
  not_found: "deleted in the meantime",
};

// Why an action on many leads leaves one as it is.
export const BULK_REASONS = {
  not_found: "deleted in the meantime",
  held_by_activation: "in an activation that is under way",
  has_account: "they have an account",
  too_many_tags: "they would have too many tags",
};
