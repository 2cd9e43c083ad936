variable "external_id" {
  type        = string
  sensitive   = true
  description = "The externalId of the document."
}

data "aws_iam_policy_document" "dhmc_trust" {
  statement {
    sid    = "TheHubMayAssumeThisRole"
    effect = "Allow"
    actions = [
      "sts:AssumeRole"
    ]

    principals {
      type = "AWS"
      identifiers = [
        "arn:aws:iam::111122223333:role/dhmc-hub"
      ]
    }

    condition {
      test     = "StringEquals"
      variable = "sts:ExternalId"
      values = [
        var.external_id
      ]
    }
  }

  statement {
    sid    = "ItsSessionTagsMayComeAlong"
    effect = "Allow"
    actions = [
      "sts:TagSession"
    ]

    principals {
      type = "AWS"
      identifiers = [
        "arn:aws:iam::111122223333:role/dhmc-hub"
      ]
    }
  }
}

resource "aws_iam_role" "dhmc" {
  name               = "dhmc-controller"
  path               = "/"
  description        = "What dhmc-controller assumes to keep this account."
  assume_role_policy = data.aws_iam_policy_document.dhmc_trust.json
}

output "role_arn" {
  value = aws_iam_role.dhmc.arn
}
